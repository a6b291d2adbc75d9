//! A loop by hand, as in the documentation of `Reactor::drive`.
#![cfg(unix)]

use std::future::Future;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use reactor::{Async, Reactor};
use selectors_core::Backend;

/// A future by hand that is polled with no waker worth the name, as the loop in the docs of `drive`: who
/// is sent away because a budget is used up goes on after the next turn, which waits for nothing.
#[test]
fn a_loop_by_hand_without_a_waker_goes_on_after_a_budget() -> io::Result<()> {
    for backend in Backend::available().iter().copied() {
        let reactor = Reactor::builder().backend(backend).build()?;
        let _driven = reactor.drive();
        let (write, _read) = UnixStream::pair()?;
        let write = Async::nonblocking(write)?;
        let mut future = pin!(async {
            for _ in 0..100 {
                write
                    .write_with(|mut socket: &UnixStream| socket.write(b"x"))
                    .await?;
            }
            io::Result::Ok(())
        });
        let mut cx = Context::from_waker(Waker::noop());
        let done = loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
                break done;
            }
            reactor.turn(None)?;
        };
        done?;
    }
    Ok(())
}
