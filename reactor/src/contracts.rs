//! Contracts: what holds whatever is awaited, wherever foreign code is called, and however long a
//! program runs.
//!
//! This module holds no code. Each row of its tables is a test, and a row without a test, or a test
//! without a row, is an error.
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
//! | `Stream` | `read_lent` | each call |
//! | free | `copy`, `copy_bidirectional` | each call |
//! | `Stream` | `write`, `write_vectored`, `write_all` | the same |
//! | `Stream` | `poll_read`, `poll_read_vectored`, `poll_write`, `poll_write_vectored` | the same |
//! | `Stream` | `readable`, `writable`, `poll_read_ready`, `poll_write_ready` | each question to the kernel |
//! | `ReadHalf` | `read`, `read_vectored`, `read_exact`, `peek`, `readable`, `poll_read` | as the stream |
//! | `WriteHalf` | `write`, `write_vectored`, `write_all`, `writable`, `poll_write` | as the stream |
//! | every stream and half | `poll_read`, `poll_read_vectored`, `poll_write`, `poll_write_vectored` | as the stream |
//! | every stream and half | `poll_flush`, `poll_close` | itself: there is nothing to do that waits |
//! | every socket and half | `async_io`, `ready` | as `Async` |
//! | `TcpStream` | `connect`, `connect_timeout` | its beginning, whatever it comes to |
//! | `TcpOptions` | `bind`, `connect` | its beginning |
//! | `TcpListener` | `bind` | its beginning, with a name to look up as well |
//! | `Listener` | `accept`, `poll_accept` | each call |
//! | `Incoming` | `poll_next` | each call |
//! | `UdpSocket` | `bind`, `connect` | its beginning |
//! | `UdpSocket` | `send_to`, `poll_send_to` | each call |
//! | `Datagrams` | `send`, `recv`, `peek`, `recv_from`, `peek_from` | each call |
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
