//! What a burst of tasks leaves behind, and what a steady loop allocates. A process of its own,
//! because it replaces the allocator.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::{Runtime, TaskSet, spawn, yield_now};

mod counting;
use counting::{ALLOCATIONS, HELD};

const MANY: usize = 100_000;
const MEBIBYTE: isize = 1 << 20;

/// What `burst` leaves allocated, after a few turns.
fn left_by(runtime: &Runtime, burst: impl AsyncFnOnce()) -> io::Result<isize> {
    runtime.block_on(yield_now())?;
    let before = HELD.get();
    runtime.block_on(async {
        burst().await;
        // The loop is used as before, by few.
        for _ in 0..10 {
            spawn(yield_now()).await.expect("it ends");
            wake_from_a_thread().await;
        }
    })?;
    assert_eq!(runtime.tasks(), 0);
    Ok(HELD.get() - before)
}

async fn wake_from_a_thread() {
    let mut thread = None;
    poll_fn(|cx| match thread.take() {
        None => {
            let waker = cx.waker().clone();
            thread = Some(thread::spawn(move || waker.wake()));
            Poll::Pending
        }
        Some(thread) => Poll::Ready(thread),
    })
    .await
    .join()
    .expect("the waking thread");
}

fn gives_back(seed: Option<u64>) -> io::Result<()> {
    let mut builder = Runtime::builder();
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    let runtime = builder.build()?;
    let left = left_by(&runtime, async || {
        // All at once.
        let tasks: Vec<_> = (0..MANY).map(|_| spawn(yield_now())).collect();
        for task in tasks {
            task.await.expect("it ends");
        }
    })?;
    assert!(left <= MEBIBYTE, "{left} bytes are kept after {MANY} tasks");
    let left = left_by(&runtime, async || {
        // Ended in another order, by hand, and with an offspring at the end.
        let tasks: Vec<_> = (0..MANY)
            .map(|_| spawn(std::future::pending::<()>()))
            .collect();
        yield_now().await;
        let mut order: Vec<_> = (0..MANY).collect();
        fastrand::Rng::with_seed(7).shuffle(&mut order);
        order.iter().for_each(|at| tasks[*at].abort());
        for task in tasks {
            assert!(task.await.expect_err("it was aborted").is_cancelled());
        }
    })?;
    assert!(
        left <= MEBIBYTE,
        "{left} bytes are kept after {MANY} aborted tasks"
    );
    let left = left_by(&runtime, async || {
        let mut set = TaskSet::new();
        for _ in 0..MANY {
            set.spawn(yield_now());
        }
        while set.join_next().await.is_some() {}
        assert_eq!(set.len(), 0);
        // The set is still there.
        spawn(yield_now()).await.expect("it ends");
        std::mem::forget(set);
    })?;
    assert!(
        left <= MEBIBYTE,
        "{left} bytes are kept after a set of {MANY}"
    );
    let left = left_by(&runtime, async || {
        // All woken by another thread while the loop is busy.
        let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
        let tasks: Vec<_> = (0..MANY)
            .map(|_| {
                let sender = sender.clone();
                let mut woken = false;
                spawn(poll_fn(move |cx| {
                    if std::mem::replace(&mut woken, true) {
                        return Poll::Ready(());
                    }
                    let _ = sender.send(cx.waker().clone());
                    Poll::Pending
                }))
            })
            .collect();
        yield_now().await;
        yield_now().await;
        let wakers: Vec<_> = receiver.try_iter().collect();
        assert_eq!(wakers.len(), MANY);
        thread::scope(|scope| {
            scope.spawn(|| wakers.iter().for_each(Waker::wake_by_ref));
        });
        for task in tasks {
            task.await.expect("it was woken");
        }
    })?;
    // The box was filled by the other thread, so it does not count here, and less than nothing is
    // left when it is given back.
    assert!(left <= MEBIBYTE, "{left} bytes are kept after {MANY} wakes");
    Ok(())
}

#[test]
fn after_a_burst_of_a_hundred_thousand_tasks_a_mebibyte_is_kept_at_most() -> io::Result<()> {
    gives_back(None)
}

#[test]
fn the_same_for_tasks_in_a_shuffled_order() -> io::Result<()> {
    gives_back(Some(7))
}

/// Tasks of which some stay, wherever their slots are.
fn gives_back_beside(stays: impl Fn(usize) -> bool) -> io::Result<()> {
    let runtime = Runtime::new()?;
    let mut kept = Vec::new();
    runtime.block_on(yield_now())?;
    let before = HELD.get();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..MANY)
            .map(|number| (stays(number), spawn(std::future::pending::<()>())))
            .collect();
        yield_now().await;
        for (stays, task) in tasks {
            if stays {
                kept.push(task);
            } else {
                task.abort();
            }
        }
    })?;
    runtime.run_until_stalled();
    let count = kept.len();
    assert_eq!(runtime.tasks(), count);
    let left = HELD.get() - before;
    // What the survivors themselves take, their handles included.
    let theirs = 256 * count as isize;
    assert!(
        left <= MEBIBYTE + theirs,
        "{left} bytes are kept beside {count} of {MANY} tasks"
    );
    // They are there as before: told of, woken, aborted, and others come and go beside them.
    runtime.block_on(async {
        for task in &kept {
            assert!(!task.is_finished());
        }
        let dumped = executor::dump();
        assert!(
            kept.iter()
                .zip(&dumped)
                .all(|(task, told)| task.id() == told.id)
        );
        let others: Vec<_> = (0..MANY).map(|_| spawn(yield_now())).collect();
        for (number, task) in kept.iter().enumerate() {
            if number % 2 == 0 {
                task.abort();
            }
        }
        for task in others {
            task.await.expect("it ends");
        }
    })?;
    runtime.block_on(async {
        for (number, task) in kept.into_iter().enumerate() {
            if number % 2 == 1 {
                assert!(!task.is_finished());
                task.abort();
            }
            assert!(task.await.expect_err("it was aborted").is_cancelled());
        }
    })?;
    assert_eq!(runtime.tasks(), 0);
    assert!(HELD.get() - before <= MEBIBYTE);
    Ok(())
}

#[test]
fn one_task_that_stays_in_the_highest_slot_keeps_no_more_than_itself() -> io::Result<()> {
    gives_back_beside(|number| number == MANY - 1)
}

#[test]
fn tasks_that_stay_here_and_there_keep_no_more_than_themselves() -> io::Result<()> {
    gives_back_beside(|number| number % 1000 == 7)?;
    gives_back_beside(|number| number % 20 == 7)
}

#[test]
fn a_burst_of_mail_is_given_back_before_the_loop_sleeps() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let nap = async || executor::time::sleep(Duration::from_millis(50)).await;
    runtime.block_on(async {
        wake_from_a_thread().await;
        nap().await;
    })?;
    let wakers = Rc::new(RefCell::new(Vec::new()));
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let wakers = Rc::clone(&wakers);
            runtime.spawn(poll_fn(move |cx| {
                wakers.borrow_mut().push(cx.waker().clone());
                Poll::<()>::Pending
            }))
        })
        .collect();
    runtime.run_until_stalled();
    wakers.borrow_mut().reserve(2 * MANY);
    let before = HELD.get();
    for _ in 0..2 {
        // No runtime runs here: each goes by the mail.
        for number in 0..MANY {
            let waker = wakers.borrow()[number].clone();
            waker.wake();
        }
        assert!(HELD.get() - before > MEBIBYTE, "the burst is in the box");
        runtime.block_on(async {
            let polled = wakers.borrow().len() + MANY;
            while wakers.borrow().len() < polled {
                yield_now().await;
            }
            nap().await;
        })?;
        let left = HELD.get() - before;
        assert!(
            left <= MEBIBYTE / 2,
            "{left} bytes are kept after {MANY} letters"
        );
    }
    assert_eq!(wakers.borrow().len(), 3 * MANY);
    drop(tasks);
    Ok(())
}

#[test]
fn a_steady_loop_gives_nothing_back_and_asks_for_nothing() -> io::Result<()> {
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        // Many live, and few of them come and go.
        for live in [10, 10_000] {
            let _live: Vec<_> = (0..live)
                .map(|_| spawn(std::future::pending::<()>()).abort_on_drop())
                .collect();
            let round = async || {
                let tasks = [(); 16].map(|()| spawn(yield_now()));
                for task in tasks {
                    task.await.expect("it ends");
                }
            };
            for _ in 0..10 {
                round().await;
            }
            let before = ALLOCATIONS.get();
            for _ in 0..100 {
                round().await;
            }
            assert_eq!(ALLOCATIONS.get() - before, 0, "beside {live}");
        }
    })
}
