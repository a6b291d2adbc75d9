//! Contracts: what holds wherever foreign code is called, whatever is awaited, and however long a
//! program runs.
//!
//! This module holds no code. Each place of foreign code and each await stands in a row and is tried by a
//! test; each number names the test that begins near its end, or why none is needed.
//!
//! # Foreign code
//!
//! Wakers, closures, observers, sources, and the destructors of what users give us may do anything:
//! register, drop, sleep, take a turn of the same reactor, and panic. Wherever they are called nothing of
//! ours is borrowed or locked, except where the table says so, and what we have to do for others is either
//! done or will be.
//!
//! *Passes through*: to the caller, who gave us that code and is on the stack. *Contained*: the panic hook
//! has reported it, and whoever caused the call hears nothing; what the panic carries is dropped.
//!
//! | what is called | given to | borrowed | a panic |
//! |---|---|---|---|
//! | the clone of a waker | every await | nothing | passes through; nothing is stored, and the await can be made again |
//! | a waker, in a turn | every await | nothing | passes through; the others are called in the next turn |
//! | a waker, when a budget is used up | every await | nothing | passes through; the await can be made again |
//! | the destructor of a waker that is replaced | every await | nothing | passes through; the new one is stored |
//! | the destructor of a waker that is given up | every await | nothing | passes through; it is out of its place |
//! | the waker of who awaits work, on its thread | every await | nothing | contained; the result is there |
//! | `as_fd` of a source, when it is waited for | `Async` | nothing | passes through; nothing is stored, and the await can be made again |
//! | `as_fd` of a source, in a turn | `Async` | nothing | contained; the key is watched as before |
//! | the destructor of a source | `Async` | nothing | passes through; it is unregistered by then |
//! | the destructor of a source that the kernel refuses, in a turn | `Async` | nothing | contained |
//! | a closure that makes a call | `Async::read_with`, `Async::write_with`, `Async::try_with`, `Async::poll_read_with`, `Async::poll_write_with`, `every socket and half::try_io`, `every socket and half::async_io` | nothing | passes through; the waker is out of its place |
//! | a closure that looks at lent bytes | `Stream::read_lent`, `ReadHalf::read_lent` | nothing, and who reads in it is lent others | passes through; the bytes are gone |
//! | `lookup` of an address | `TcpStream::connect`, `TcpStream::connect_timeout`, `TcpOptions::connect`, `TcpListener::bind`, `TcpOptions::bind`, `UdpSocket::bind`, `UdpSocket::connect`, `lookup_host` | nothing | passes through; no socket was made |
//! | `as_ref` of a path or a name | `UnixStream::connect`, `UnixSocket::bind`, `UnixSocket::connect`, `UnixListener::bind`, `UnixDatagram::bind`, `UnixDatagram::connect`, `UnixDatagram::send_to`, `UnixDatagram::poll_send_to`, `UnixDatagram::try_send_to`, `abstract_address` | nothing | passes through; no socket was made |
//! | an iterator of signals | `Signals::new` | nothing | passes through; none is caught |
//! | work on a thread | `unblock` | nothing | passes through to who awaits it |
//! | the destructor of work that is taken back | `unblock` | nothing | passes through; it is out of the queue |
//! | the destructor of a result that nobody awaits | `unblock` | nothing | contained |
//! | the poll of a future with a deadline | `timeout`, `timeout_at` | nothing | passes through |
//! | a closure that is contained | `contain` | nothing | contained |
//! | a closure without a budget | `Reactor::unconstrained` | nothing | passes through; the budget is as before |
//! | an observer | `Reactor::observe` | perhaps: it must not use the reactor | contained; it goes on observing |
//! | the destructor of an observer | `Reactor::observe` | nothing | passes through; the new one observes |
//! | a closure that looks at who waits | `Reactor::for_each_waiter` | the reactor: it must not use it | passes through; all of them wait on |
//! | a closure that absorbs wakers | `Reactor::turn_with` | the reactor: it must not use it | it must not: whom this event was for may sleep on. Of what makes it: passes through, and nothing is lost |
//!
//! # Awaits
//!
//! An await that can be ready again and again without waiting, with a result or with an error, spends
//! from the budget of its task. When that is used up, the task goes to the end of the queue, and
//! nothing is lost. [`Reactor::poll_budget`](crate::Reactor::poll_budget) does the same for awaits of
//! others.
//!
//! | of | what is awaited | what spends |
//! |---|---|---|
//! | `Async` | `read_with`, `write_with`, `poll_read_with`, `poll_write_with` | each call of the closure |
//! | `Async` | `read`, `write`, `read_to_end`, `write_all` | each call, and a transfer of nothing |
//! | `Async` | `readable`, `writable`, `poll_readable`, `poll_writable` | each question to the kernel |
//! | `Async` | `ready`, `exceptional` | each question to the kernel, and a refusal |
//! | `Async` | `poll_read`, `poll_read_vectored`, `poll_write`, `poll_write_vectored`, `poll_flush`, `poll_close` | each call, and a transfer of nothing |
//! | `Stream` | `read`, `read_vectored`, `read_exact`, `peek` | each call, and a transfer of nothing |
//! | `Stream` | `read_lent`, `read_append` | each call |
//! | free | `copy`, `copy_bidirectional` | each call |
//! | `Stream` | `write`, `write_vectored`, `write_all` | the same |
//! | `Stream` | `poll_read`, `poll_read_vectored`, `poll_write`, `poll_write_vectored` | the same |
//! | `Stream` | `readable`, `writable`, `poll_read_ready`, `poll_write_ready` | each question to the kernel |
//! | `ReadHalf` | `read`, `read_vectored`, `read_exact`, `read_lent`, `read_append`, `peek`, `readable`, `poll_read` | as the stream |
//! | `WriteHalf` | `write`, `write_vectored`, `write_all`, `writable`, `poll_write` | as the stream |
//! | every stream and half | `poll_read`, `poll_read_vectored`, `poll_write`, `poll_write_vectored` | as the stream |
//! | every stream and half | `poll_flush`, `poll_close` | itself: there is nothing to do that waits |
//! | every socket and half | `async_io`, `ready` | as `Async` |
//! | `TcpStream` | `connect`, `connect_timeout` | its beginning, whatever it comes to |
//! | `TcpOptions` | `bind`, `connect` | its beginning |
//! | `TcpSocket` | `connect` | its beginning |
//! | `UnixSocket` | `connect`, `connect_addr` | its beginning |
//! | free | `lookup_host` | its beginning |
//! | `TcpListener` | `bind` | its beginning, with a name to look up as well |
//! | `Listener` | `accept`, `poll_accept` | each call |
//! | `Incoming` | `poll_next` | each call |
//! | `UdpSocket` | `bind`, `connect` | its beginning |
//! | `UdpSocket` | `send_to`, `poll_send_to` | each call |
//! | `Datagrams` | `send`, `recv`, `peek`, `recv_from`, `peek_from`, `peek_sender` | each call |
//! | `Datagrams` | `poll_send`, `poll_recv`, `poll_recv_from`, `poll_peek_from` | each call |
//! | `Datagrams` | `readable`, `writable` | each question to the kernel |
//! | `UnixStream` | `connect`, `connect_addr` | its beginning |
//! | `UnixDatagram` | `send_to`, `send_to_addr`, `poll_send_to`, `poll_send_to_addr` | its beginning |
//! | `Sleep` | `poll` | a poll after its end; before, it waits for at least one turn |
//! | `Timeout` | `poll` | its beginning |
//! | `Interval` | `tick`, `poll_tick`, `poll_next` | each tick; one that is late by a period, nearly all there is |
//! | free | `unblock` | its result, and a refusal |
//! | free | `ctrl_c` | its beginning |
//! | `Signals` | `next`, `poll_signal`, `poll_next` | each signal |
//! | free | `output` | its beginning |
//! | `Child` | `wait`, `wait_with_output` | each question whether it has ended |
//! | `ChildStdin` | `write`, `write_all`, `poll_write`, `poll_write_vectored` | each call, and a refusal |
//! | `ChildStdin` | `poll_flush`, `poll_close` | itself |
//! | `Reactor` | `poll_budget` | itself |
//!
//! # Numbers
//!
//! | number | width | it cannot come round, because | test |
//! |---|---|---|---|
//! | a waiter's name in a slot | 64 bits | a name for each wait, a thousand million a second, lasts for 292 years | `a_waiter_keeps_its_name_for_itself_however_many_come_after_it` |
//! | the order of timers | 64 bits | one for each deadline that is set | `nothing_happens_where_a_number_of_32_bits_would_come_round` |
//! | a timer's place | 32 bits | it is used again when its owner is gone; a place that would mean something else is refused | `a_number_is_never_one_that_means_something_else` |
//! | a guard of [`enter`](crate::Reactor::enter) | 64 bits | one for each call of `enter` | `guards_that_are_dropped_in_any_order_or_forgotten_leave_nothing` |
//! | work in the pool's queue | 64 bits | one for each call of `unblock` | `giving_work_up_costs_the_same_however_much_is_queued` |
//! | calls that said WouldBlock, of one key | 5 bits | it stops at its end, where the call is doubted | `two_closures_that_make_it_up_do_not_either` |
//! | what metrics count | 64 bits | each is added to once a turn or once an event | |
