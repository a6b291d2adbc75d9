//! What is watched: registered when somebody has to wait, unregistered when it is dropped or given
//! back, and useful even if the kernel cannot watch it.
#![cfg(unix)]

use std::cell::RefCell;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_lite::future::poll_once;
use reactor::{Async, Direction, Reactor};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{Count, fill, pair, poll, read_byte, settle, wait};

on_every_backend!(
    a_waker_may_run_a_turn_or_drop_the_source,
    a_dropped_source_is_unregistered_at_once,
    a_source_given_back_is_unregistered,
    a_regular_file_is_always_ready,
    a_regular_file_that_has_to_wait_does_not_hang,
    readable_then_try_until_would_block,
    a_try_without_readable_sees_what_has_come,
    a_try_in_one_direction_while_the_other_waits_sees_what_has_come,
    a_number_registered_twice_is_refused,
);

/// Does something at the first wake.
struct Act<F: Fn()>(F);

impl<F: Fn() + Send + Sync> Wake for Act<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

thread_local! {
    /// What a waker, which must be `Send`, may act upon.
    static HELD: RefCell<Option<Async<UnixStream>>> = const { RefCell::new(None) };
}

fn a_waker_may_run_a_turn_or_drop_the_source(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    HELD.set(Some(pair()?.1));
    let waker = Waker::from(Arc::new(Act(|| {
        drop(HELD.take());
        let reactor = Reactor::current();
        reactor
            .turn(Some(Duration::ZERO))
            .expect("a turn inside a turn");
    })));
    let mut read = read_byte(&far);
    assert!(poll(&mut read, &waker).is_pending());
    near.write_all(b"a")?;
    reactor.turn(None)?;
    assert!(HELD.take().is_none(), "the waker was not called");
    assert!(poll(&mut read, &waker).is_ready());
    Ok(())
}

fn a_dropped_source_is_unregistered_at_once(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    assert_eq!(reactor.keys(), 0, "registered before it has to wait");
    let mut read = read_byte(&far);
    let (count, _) = wait(&mut read);
    assert_eq!(reactor.keys(), 1);
    drop(read);
    near.write_all(b"a")?;
    drop(far);
    assert_eq!(reactor.keys(), 0);
    assert_eq!(settle(&reactor)?, 0);
    assert_eq!(count.get(), 0);
    Ok(())
}

fn a_source_given_back_is_unregistered(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    wait(&mut read_byte(&far));
    near.write_all(b"a")?;
    let mut far = far.into_inner()?;
    assert_eq!(reactor.keys(), 0);
    far.read_exact(&mut [0])?;

    // It can be attached again, with the same number.
    let far = Async::new(far);
    let mut read = pin!(far.read_with(|mut far| far.read(&mut [0; 8])));
    let (count, waker) = Count::new();
    assert!(
        read.as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    near.write_all(b"bc")?;
    settle(&reactor)?;
    assert_eq!(count.get(), 1);
    let read = read.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(matches!(read, Poll::Ready(Ok(2))));
    Ok(())
}

/// A file that holds what this text says.
fn this_file() -> io::Result<File> {
    File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sources.rs"))
}

fn a_regular_file_is_always_ready(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let file = Async::new(this_file()?);
        file.readable().await?;
        file.writable().await?;
        let mut text = String::new();
        let read = file.read_with(|mut file| file.read_to_string(&mut text));
        assert_eq!(read.await?, include_str!("sources.rs").len());
        assert!(text == include_str!("sources.rs"));
        Ok(())
    })
}

fn a_regular_file_that_has_to_wait_does_not_hang(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let file = Async::new(this_file()?);
        // A call that would block although the file is ready: epoll refuses to watch it, select
        // and poll say that it is ready. All of them try again.
        let mut attempts = 0;
        let mut byte = [0];
        file.read_with(|mut file| {
            attempts += 1;
            match attempts {
                1..=3 => Err(io::ErrorKind::WouldBlock.into()),
                _ => file.read_exact(&mut byte),
            }
        })
        .await?;
        assert_eq!((attempts, byte), (4, *b"/"));
        Ok(())
    })
}

/// One attempt to read a byte.
fn try_byte(source: &Async<UnixStream>) -> io::Result<u8> {
    source.try_with(Direction::Read, |mut source| {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        Ok(byte[0])
    })
}

fn would_block(result: io::Result<u8>) -> bool {
    result.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

fn readable_then_try_until_would_block(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (mut near, mut far) = pair()?;
        for round in 1..50 {
            // Now there is something to read, now it comes while somebody waits.
            let waiting = executor::spawn(async move {
                far.readable().await?;
                io::Result::Ok(far)
            });
            if round % 2 == 0 {
                executor::yield_now().await;
                executor::yield_now().await;
            }
            near.write_all(&[round; 3])?;
            far = waiting.await??;
            let mut found = 0;
            while found < 3 {
                match try_byte(&far) {
                    Ok(byte) => {
                        assert_eq!(byte, round);
                        found += 1;
                    }
                    // A hint may be wrong, as that of a source that was never tried.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        far.readable().await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            assert!(would_block(try_byte(&far)));
            assert!(
                poll_once(far.readable()).await.is_none(),
                "readable after would-block"
            );
        }
        Ok(())
    })
}

/// Turns, so that news would be heard, and tries until there is a byte.
fn byte_without_waiting(reactor: &Reactor, source: &Async<UnixStream>) -> io::Result<u8> {
    // The byte was written before, and a turn or two have passed: there is no reason to wait.
    settle(reactor)?;
    try_byte(source)
}

fn a_try_without_readable_sees_what_has_come(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    near.write_all(b"a")?;
    assert_eq!(try_byte(&far)?, b'a', "before it is registered");
    // Registered, and given up: nobody waits any more.
    drop(wait(&mut read_byte(&far)));
    settle(&reactor)?;
    for byte in 0..5 {
        assert!(would_block(try_byte(&far)));
        settle(&reactor)?;
        near.write_all(&[byte])?;
        assert_eq!(byte_without_waiting(&reactor, &far)?, byte);
    }
    Ok(())
}

fn a_try_in_one_direction_while_the_other_waits_sees_what_has_come(
    variant: Variant,
) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    fill(&far);
    let mut write = Box::pin(far.write_with(|mut far| far.write(b"x"))) as by_hand::Op<'_, usize>;
    let (writer, _) = wait(&mut write);
    for byte in 0..5 {
        assert!(would_block(try_byte(&far)));
        settle(&reactor)?;
        near.write_all(&[byte])?;
        assert_eq!(byte_without_waiting(&reactor, &far)?, byte);
    }
    assert_eq!(writer.get(), 0);
    Ok(())
}

fn a_number_registered_twice_is_refused(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = UnixStream::pair()?;
    far.set_nonblocking(true)?;
    // Two owners of one fd: the second one hears that the number is taken.
    let far = Arc::new(far);
    let (one, two) = (Async::new(Arc::clone(&far)), Async::new(far));
    let (_, waker) = Count::new();
    let mut cx = Context::from_waker(&waker);
    let mut first = pin!(one.read_with(|far| (&**far).read(&mut [0; 8])));
    assert!(first.as_mut().poll(&mut cx).is_pending());
    let mut second = pin!(two.read_with(|far| (&**far).read(&mut [0; 8])));
    let Poll::Ready(Err(error)) = second.as_mut().poll(&mut cx) else {
        panic!("the second owner waits, and nobody would tell it anything");
    };
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    // The first one is not disturbed.
    near.write_all(b"hello")?;
    settle(&reactor)?;
    assert!(matches!(first.as_mut().poll(&mut cx), Poll::Ready(Ok(5))));
    Ok(())
}
