//! Museum, b07: one read for each edge, though more bytes have come than fit into one read.
//!
//! ```text
//! REACTOR_TRACE=b07.trace cargo run --example b07_one_read
//! cargo run -p trace -- lint b07.trace
//! cargo run --example b07_one_read -- fixed
//! ```
//!
//! Symptom: the end of a long message is missing until the peer says something else. The kernel
//! reports a change, not a state: what was left in its buffer is no news. Lint: `ready-but-asleep`;
//! the trace has a look with poll(2), which tells states, and finds the key ready.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use examples::command_line::fixed;
use examples::console::all_said;
use examples::{say, told};
use selectors_core::{EVENT_READ, EpollSelector, Mode, PollSelector};

const MESSAGE: &[u8] = b"hello again";

fn main() -> io::Result<()> {
    let fixed = fixed();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _from) = listener.accept()?;
    far.set_nonblocking(true)?;
    let mut selector = EpollSelector::new()?;
    told::begin_with("epoll", "edge");
    told::watched(&far, EVENT_READ);
    selector.register_with(&far, EVENT_READ, Mode::Edge, ())?;

    let mut length = 0;
    let mut task = pin!(poll_fn(|_| {
        loop {
            match told::read(&far, &mut [0; 5]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                read => length += read?,
            }
            if length == MESSAGE.len() {
                return Poll::Ready(io::Result::Ok(()));
            }
            // The fix: go on until the kernel says WouldBlock. Only then is the next byte news.
            if !fixed {
                break;
            }
        }
        told::waits(&far, EVENT_READ);
        Poll::Pending
    }));
    // There is one task, and this loop needs no waker to find it.
    let mut cx = Context::from_waker(Waker::noop());
    let mut poll = || told::polled(0, || task.as_mut().poll(&mut cx));
    assert!(poll().is_pending(), "nothing was said yet");
    near.write_all(MESSAGE)?;
    let (mut ready, pause) = (Vec::new(), Some(Duration::from_millis(50)));
    loop {
        told::asleep(1, pause);
        selector.select(&mut ready, pause)?;
        told::ready(&ready);
        if ready.is_empty() {
            break;
        }
        told::woken(0, 1);
        if poll().is_ready() {
            say!("the whole message was read");
            return all_said();
        }
    }

    // Nothing for a while. What does a call say that tells states, and not changes?
    let mut second = PollSelector::new()?;
    second.register(&far, EVENT_READ, ())?;
    told::asleep(1, Some(Duration::ZERO));
    second.select(&mut ready, Some(Duration::ZERO))?;
    told::ready(&ready);
    if !ready.is_empty() {
        say!("the task hangs: bytes are there, and the one report of them is gone");
    }
    told::asleep(1, pause);
    selector.select(&mut ready, pause)?;
    told::end();
    all_said()
}
