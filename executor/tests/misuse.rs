//! Misuse panics with a sentence that says what to do; it never hangs and never breaks the rest.

use std::any::Any;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use executor::block_on;
use futures_lite::future;
use reactor::net::{TcpListener, TcpStream};
use reactor::time::{interval, sleep};

#[macro_use]
mod harness;
use harness::{Variant, pair};

on_every_backend!(
    block_on_inside_block_on_says_what_to_do,
    a_socket_awaited_outside_its_runtime_says_what_to_do,
    a_socket_awaited_in_another_runtime_says_what_to_do,
    a_timer_awaited_outside_its_runtime_says_what_to_do,
    what_is_of_a_runtime_that_is_only_entered_says_what_to_do,
    who_is_entered_may_be_driven_all_the_same,
    a_join_handle_awaited_outside_says_what_to_do,
    a_join_handle_awaited_in_another_runtime_says_what_to_do,
    a_panic_of_the_root_passes_through_and_the_runtime_goes_on,
);

/// The text with which `body` panics.
fn sentence<T>(body: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(body()))) else {
        panic!("it did not panic");
    };
    text(payload)
}

fn text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().expect("a text").to_string(),
    }
}

/// Drives `future` without any runtime.
fn outside<F: Future>(future: F) -> F::Output {
    future::block_on(future)
}

#[test]
fn without_a_runtime_every_entrance_says_what_to_do() {
    let no_reactor = "no reactor on this thread: sockets and timers are made inside \
                      `executor::block_on`";
    let address = "127.0.0.1:1";
    assert!(sentence(|| outside(TcpListener::bind("127.0.0.1:0"))).contains(no_reactor));
    assert!(sentence(|| outside(TcpStream::connect(address))).contains(no_reactor));
    assert!(sentence(|| sleep(Duration::ZERO)).contains(no_reactor));
    assert!(sentence(|| interval(Duration::from_secs(1))).contains(no_reactor));
    let no_runtime = "no runtime on this thread: call `spawn` inside `executor::block_on`";
    assert!(sentence(|| executor::spawn(async {}).detach()).contains(no_runtime));
}

fn block_on_inside_block_on_says_what_to_do(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let what = "`block_on`, or another loop, inside of one: this thread already runs a loop";
        assert!(sentence(|| block_on(async {})).contains(what));
        assert!(sentence(|| runtime.block_on(async {})).contains(what));
        let other = variant.runtime().expect("a second runtime may exist");
        assert!(sentence(|| other.block_on(async {})).contains(what));
        // In a task it ends the task.
        let task = executor::spawn(async { block_on(async {}) });
        let error = task.await.expect_err("it panicked");
        assert!(
            error
                .panic_message()
                .is_some_and(|text| text.contains(what))
        );
    })?;
    // Neither this runtime nor this thread is the worse for it.
    assert_eq!(runtime.block_on(async { 1 })?, 1);
    assert_eq!(block_on(async { 2 })?, 2);
    Ok(())
}

const SOCKET: &str = "this socket or timer would wait for ever: nobody drives its reactor";

fn a_socket_awaited_outside_its_runtime_says_what_to_do(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (near, far) = runtime.block_on(pair())??;
    assert!(sentence(|| outside(far.read(&mut [0; 8]))).contains(SOCKET));
    // Back inside, it works.
    runtime.block_on(async {
        near.write_all(b"hello").await?;
        assert_eq!(far.read(&mut [0; 8]).await?, 5);
        Ok(())
    })?
}

fn a_socket_awaited_in_another_runtime_says_what_to_do(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let (_near, far) = runtime.block_on(pair())??;
    let other = variant.runtime()?;
    assert!(sentence(|| other.block_on(far.read(&mut [0; 8]))).contains(SOCKET));
    Ok(())
}

#[test]
fn a_forgotten_guard_of_a_reactor_leaves_no_runtime_entered() -> io::Result<()> {
    let runtime = executor::Runtime::new()?;
    let other = executor::Runtime::new()?;
    // Whatever is said of it: this thread is outside again, and may go in again.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            std::mem::forget(other.reactor().enter());
        })
    }));
    let outside = "no runtime on this thread";
    assert!(sentence(|| executor::spawn(async {}).detach()).contains(outside));
    let answer =
        executor::Runtime::new()?.block_on(async { executor::spawn(async { 7 }).await })?;
    assert_eq!(answer?, 7);
    Ok(())
}

fn a_timer_awaited_outside_its_runtime_says_what_to_do(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let timer = || {
        let _entered = runtime.reactor().enter();
        sleep(Duration::from_millis(1))
    };
    assert!(sentence(|| outside(timer())).contains(SOCKET));
    let other = variant.runtime()?;
    assert!(sentence(|| other.block_on(timer())).contains(SOCKET));
    Ok(())
}

fn what_is_of_a_runtime_that_is_only_entered_says_what_to_do(variant: Variant) -> io::Result<()> {
    let (entered, other) = (variant.runtime()?, variant.runtime()?);
    let short = Duration::from_millis(1);
    // Below the loop that runs.
    let guard = entered.enter();
    let (near, far) = reactor::net::UnixStream::pair()?;
    let timer = sleep(short);
    assert!(sentence(|| other.block_on(far.read(&mut [0; 8]))).contains(SOCKET));
    assert!(sentence(|| other.block_on(timer)).contains(SOCKET));
    assert!(sentence(|| other.block_on(interval_of(short))).contains(SOCKET));
    // What does not wait may be done, and more often than a budget has room for.
    for _ in 0..100 {
        assert_eq!(other.block_on(near.write(b"x"))??, 1);
        assert_eq!(other.block_on(near.write(b""))??, 0);
        let ready = reactor::time::timeout(short, future::ready(()));
        assert!(other.block_on(ready)?.is_ok());
    }
    assert_eq!(far.try_read(&mut [0; 128])?, 100);
    drop(guard);
    // Inside of it.
    let inside = async {
        let _guard = entered.enter();
        sleep(short).await;
    };
    assert!(sentence(|| other.block_on(inside)).contains(SOCKET));
    let inside = async {
        let _guard = entered.enter();
        far.read(&mut [0; 8]).await
    };
    assert!(sentence(|| other.block_on(inside)).contains(SOCKET));
    // And for one that began to wait where it was driven.
    let mut timer = Box::pin({
        let _guard = entered.enter();
        sleep(Duration::from_secs(3600))
    });
    let waits = entered.block_on(future::poll_once(timer.as_mut()))?;
    assert!(waits.is_none());
    let _guard = entered.enter();
    assert!(sentence(|| other.block_on(timer)).contains(SOCKET));
    Ok(())
}

/// An interval's second tick.
fn interval_of(period: Duration) -> impl Future<Output = ()> {
    let mut ticks = interval(period);
    async move {
        ticks.tick().await;
        ticks.tick().await;
    }
}

fn who_is_entered_may_be_driven_all_the_same(variant: Variant) -> io::Result<()> {
    let (entered, other) = (variant.runtime()?, variant.runtime()?);
    let short = Duration::from_millis(1);
    let guard = entered.enter();
    let (timer, task) = (
        sleep(short),
        executor::spawn(async move { sleep(short).await }),
    );
    assert_eq!(
        other.block_on(async { executor::spawn(async { 7 }).await })??,
        7
    );
    other.block_on(async move {
        sleep(short).await;
        // A loop by hand inside of it, and then it goes on.
        let by_hand = variant.reactor()?;
        {
            let _drives = by_hand.drive();
            let mut timer = Box::pin(sleep(short));
            while outside(future::poll_once(timer.as_mut())).is_none() {
                by_hand.turn(None)?;
            }
        }
        sleep(short).await;
        io::Result::Ok(())
    })??;
    entered.block_on(async {
        timer.await;
        task.await
    })??;
    // Where no loop runs a reactor that is entered may be driven by who entered it.
    let mut timer = Box::pin(sleep(short));
    while outside(future::poll_once(timer.as_mut())).is_none() {
        entered.reactor().turn(None)?;
    }
    drop(guard);
    Ok(())
}

const HANDLE: &str = "this JoinHandle would wait for ever: nobody drives its runtime";

fn a_join_handle_awaited_outside_says_what_to_do(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let handle = runtime.spawn(async { 1 });
    assert!(sentence(|| outside(handle)).contains(HANDLE));
    // One that is finished has its result ready, wherever it is asked.
    let handle = runtime.spawn(async { 2 });
    runtime.block_on(executor::yield_now())?;
    assert_eq!(outside(handle)?, 2);
    let handle = runtime.spawn(async { 3 });
    drop(runtime);
    assert!(
        outside(handle)
            .expect_err("the runtime is gone")
            .is_cancelled()
    );
    Ok(())
}

fn a_join_handle_awaited_in_another_runtime_says_what_to_do(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let handle = runtime.spawn(async { 1 });
    let other = variant.runtime()?;
    assert!(sentence(|| other.block_on(handle)).contains(HANDLE));
    Ok(())
}

fn a_panic_of_the_root_passes_through_and_the_runtime_goes_on(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let task = runtime.spawn(async {
        sleep(Duration::from_millis(5)).await;
        "the task is not concerned"
    });
    let fails = async {
        executor::yield_now().await;
        panic!("the root gives up");
    };
    assert_eq!(
        sentence(|| runtime.block_on::<_>(fails)),
        "the root gives up"
    );
    assert_eq!(runtime.block_on(task)??, "the task is not concerned");
    Ok(())
}
