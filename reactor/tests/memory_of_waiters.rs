//! After a crowd of fds or of waiters the reactor gives its memory back, on every backend. A process of
//! its own, because it replaces the allocator.
#![cfg(unix)]

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::task::Waker;

use reactor::{Async, Reactor};

#[allow(unused_macros, reason = "the variants take turns here")]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::{SELECT, variants};

mod by_hand;
use by_hand::{Op, poll, read_byte, settle};

#[path = "../../executor/tests/counting/mod.rs"]
mod counting;
use counting::HELD;

const CROWD: usize = 100_000;
/// Well below the mebibyte that may stay of all together.
const MAY_STAY: isize = 1 << 18;

/// What has to be taken back of so many that wait.
type Fate = fn(&Reactor, usize) -> io::Result<()>;

/// One after another, because all need the numbers of fds that this process has.
#[test]
fn what_a_crowd_took_is_given_back_on_every_backend() -> io::Result<()> {
    let fates: [(&str, Fate); 4] = [
        ("fds that were registered", registered),
        ("fds that were ready", ready),
        ("fds on which an event left some asleep", asleep),
        ("waiters on one fd", on_one_fd),
    ];
    for variant in variants() {
        // What select can name, and what a machine allows to most programs of that kind.
        let fds = if variant == SELECT { 800 } else { 16_000 };
        for (what, fate) in fates {
            let reactor = variant.reactor()?;
            let _entered = reactor.enter();
            settle(&reactor)?;
            let before = HELD.get();
            fate(&reactor, fds)?;
            settle(&reactor)?;
            assert_eq!(reactor.keys(), 0);
            let left = HELD.get() - before;
            assert!(left <= MAY_STAY, "{variant:?}, {what}: {left} bytes");
        }
    }
    Ok(())
}

/// One socket under as many numbers as this process may have, and its peer.
fn numbers(most: usize) -> io::Result<(UnixStream, Vec<Async<UnixStream>>)> {
    let (near, far) = by_hand::pair()?;
    let mut numbers: Vec<_> = (0..most)
        .map_while(|_| far.get_ref().try_clone().ok())
        .collect();
    // Room for what else is needed.
    numbers.truncate(numbers.len().saturating_sub(16));
    Ok((near, numbers.into_iter().map(Async::new).collect()))
}

fn wait_all<'a>(ops: impl Iterator<Item = Op<'a, u8>>) -> Vec<Op<'a, u8>> {
    let waits = |mut op| {
        assert!(poll(&mut op, Waker::noop()).is_pending());
        op
    };
    ops.map(waits).collect()
}

fn registered(reactor: &Reactor, fds: usize) -> io::Result<()> {
    let (_near, numbers) = numbers(fds)?;
    let ops = wait_all(numbers.iter().map(read_byte));
    settle(reactor)?;
    drop(ops);
    settle(reactor).map(drop)
}

fn ready(reactor: &Reactor, fds: usize) -> io::Result<()> {
    let (mut near, numbers) = numbers(fds)?;
    for _ in 0..3 {
        let mut ops = wait_all(numbers.iter().map(read_byte));
        near.write_all(b"x")?;
        settle(reactor)?;
        // One of them gets it.
        ops.iter_mut().for_each(|op| drop(poll(op, Waker::noop())));
    }
    Ok(())
}

fn asleep(reactor: &Reactor, fds: usize) -> io::Result<()> {
    let (mut near, numbers) = numbers(fds)?;
    let streams: Vec<_> = numbers
        .into_iter()
        .map(|number| reactor::net::UnixStream::from_std(number.into_inner()?))
        .collect::<io::Result<_>>()?;
    let mut buffers = vec![[0; 1]; 3 * streams.len()];
    let reads = streams.iter().cycle().zip(&mut buffers);
    let mut ops: Vec<Op<'_, usize>> = Vec::new();
    for (stream, buffer) in reads {
        ops.push(Box::pin(stream.read(buffer)));
    }
    ops.iter_mut().for_each(|op| drop(poll(op, Waker::noop())));
    near.write_all(b"x")?;
    // The first turn wakes one on each, and notes the others.
    settle(reactor).map(drop)
}

fn on_one_fd(reactor: &Reactor, _: usize) -> io::Result<()> {
    let (mut near, far) = by_hand::pair()?;
    let before = HELD.get();
    let mut ops = wait_all((0..CROWD).map(|_| read_byte(&far)));
    near.write_all(b"x")?;
    settle(reactor)?;
    ops.iter_mut().for_each(|op| drop(poll(op, Waker::noop())));
    drop(ops);
    // They are gone, and the object is still there.
    drop(wait_all((0..CROWD).map(|_| read_byte(&far))));
    settle(reactor)?;
    let left = HELD.get() - before;
    assert!(left <= MAY_STAY, "the object keeps {left} bytes");
    Ok(())
}
