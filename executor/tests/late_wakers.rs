//! Wakers that are called too late: their task is gone, or their runtime, or their thread.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::{JoinHandle, spawn, yield_now};
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::Variant;

on_every_backend!(
    a_waker_outlives_its_task_on_another_thread,
    a_waker_outlives_its_runtime_on_every_thread,
    a_waker_of_a_runtime_that_is_gone_wakes_nobody_in_the_next_one,
    a_waker_called_while_its_thread_ends,
    a_waker_of_block_on_wakes_nobody_once_that_is_over,
);

/// A task that sends its waker away and never ends.
fn gives_its_waker_away() -> (JoinHandle<()>, mpsc::Receiver<Waker>) {
    let (sender, receiver) = mpsc::channel();
    let task = spawn(poll_fn(move |cx| {
        // Nobody listens any more once the test has it.
        let _ = sender.send(cx.waker().clone());
        Poll::Pending
    }));
    (task, receiver)
}

fn a_waker_outlives_its_task_on_another_thread(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (task, wakers) = gives_its_waker_away();
        yield_now().await;
        let waker = wakers.try_recv().expect("it was polled");
        task.abort();
        assert!(task.await.expect_err("it was aborted").is_cancelled());
        // In its place lives somebody who is not concerned.
        let polls = Rc::new(Cell::new(0));
        let theirs = Rc::clone(&polls);
        let successor = spawn(poll_fn(move |_| {
            theirs.set(theirs.get() + 1);
            Poll::<()>::Pending
        }));
        yield_now().await;
        thread::spawn(move || (0..100).for_each(|_| waker.wake_by_ref()))
            .join()
            .expect("the thread did not panic");
        for _ in 0..10 {
            yield_now().await;
        }
        assert_eq!(polls.get(), 1);
        successor.abort();
        Ok(())
    })
}

fn a_waker_outlives_its_runtime_on_every_thread(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let waker = runtime.block_on(async {
        let (task, wakers) = gives_its_waker_away();
        task.detach();
        yield_now().await;
        wakers.try_recv().expect("it was polled")
    })?;
    drop(runtime);
    waker.wake_by_ref();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| waker.wake_by_ref()));
        }
    });
    // And inside another runtime of this thread.
    variant.block_on(async {
        waker.wake_by_ref();
        yield_now().await;
        Ok(())
    })
}

fn a_waker_of_a_runtime_that_is_gone_wakes_nobody_in_the_next_one(
    variant: Variant,
) -> io::Result<()> {
    // The next runtime often gets the number of the last one, and its tasks the same slots: the
    // wake may then be spurious, which every future must bear, but it must harm nobody.
    for _ in 0..20 {
        let runtime = variant.runtime()?;
        let waker = runtime.block_on(async {
            let (task, wakers) = gives_its_waker_away();
            task.detach();
            yield_now().await;
            wakers.try_recv().expect("it was polled")
        })?;
        drop(runtime);
        variant.block_on(async {
            let sleeper = spawn(sleep(Duration::from_millis(1)));
            yield_now().await;
            waker.wake();
            sleeper.await?;
            Ok(())
        })?;
    }
    Ok(())
}

fn a_waker_called_while_its_thread_ends(variant: Variant) -> io::Result<()> {
    struct WakesAtTheEnd(RefCell<Option<Waker>>);

    impl Drop for WakesAtTheEnd {
        fn drop(&mut self) {
            if let Some(waker) = self.0.take() {
                waker.wake();
            }
        }
    }

    thread_local! {
        static LAST_WORD: WakesAtTheEnd = const { WakesAtTheEnd(RefCell::new(None)) };
    }

    // The thread-local of the test is made before those of the runtime, so it goes after them.
    let thread = thread::spawn(move || {
        LAST_WORD.with(|last| last.0.borrow_mut().take());
        variant.block_on(async {
            let (task, wakers) = gives_its_waker_away();
            task.detach();
            yield_now().await;
            let waker = wakers.try_recv().expect("it was polled");
            LAST_WORD.with(|last| *last.0.borrow_mut() = Some(waker));
            Ok(())
        })
    });
    thread.join().expect("the thread did not panic")
}

/// Nor does a stop that is asked for then: there is nobody who could be polled.
fn a_waker_of_block_on_wakes_nobody_once_that_is_over(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let waker_of_root = || poll_fn(|cx| Poll::Ready(cx.waker().clone()));
    let nobody_is_polled = || {
        let polls = runtime.metrics().polls;
        assert!(!runtime.try_run_one() && !runtime.run_until_stalled());
        assert_eq!(runtime.metrics().polls, polls);
    };
    let waker = runtime.block_on(waker_of_root())?;
    waker.wake_by_ref();
    nobody_is_polled();
    thread::spawn(move || waker.wake())
        .join()
        .expect("the thread did not panic");
    nobody_is_polled();
    // One that has woken itself, and one that panics.
    runtime.block_on(async { waker_of_root().await.wake() })?;
    nobody_is_polled();
    let panics = std::panic::AssertUnwindSafe(|| {
        runtime.block_on(async {
            waker_of_root().await.wake();
            panic!("it gives up");
        })
    });
    let panicked: Result<io::Result<()>, _> = std::panic::catch_unwind(panics);
    assert!(panicked.is_err());
    nobody_is_polled();
    runtime.spawner().request_stop();
    assert!(!runtime.try_run_one());
    assert_eq!(runtime.block_on(async { spawn(async { 7 }).await })??, 7);
    nobody_is_polled();
    Ok(())
}
