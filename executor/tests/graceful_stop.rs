//! `Runtime::shutdown`: who is asked, who gets time, and in which order the rest is dropped.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use executor::{is_stopping, request_stop, spawn, stopping, unless_stopping, yield_now};
use futures_lite::future::{self, block_on as outside};
use reactor::net::TcpListener;
use reactor::observe::{Event, Observer};
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, round_trip};

on_every_backend!(
    tasks_that_listen_end_by_themselves,
    the_grace_period_is_waited_for_and_no_longer,
    without_tasks_nobody_waits,
    no_grace_drops_at_once,
    what_is_left_is_dropped_in_the_order_of_slots,
    a_task_spawned_in_the_grace_period_runs,
    connections_finish_their_message,
    stopping_leaves_nothing_behind_when_dropped,
    a_destructor_that_panics_is_no_obstacle,
    other_threads_hear_that_it_is_over,
    what_is_ready_wins_against_a_stop,
    a_stop_ends_whoever_waits_and_wakes_each_task_once,
    a_stop_is_heard_behind_the_waker_of_a_combinator,
    a_stop_is_heard_in_another_runtime_on_the_same_thread,
    a_stop_of_one_runtime_is_none_of_another,
    a_stop_is_heard_while_somebody_observes,
);

const NEVER: Duration = Duration::from_secs(3600);

fn tasks_that_listen_end_by_themselves(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let tasks: Vec<_> = (0..3).map(|_| runtime.spawn(stopping())).collect();
    runtime.block_on(yield_now())?;
    assert!(tasks.iter().all(|task| !task.is_finished()));
    let shutdown = runtime.shutdown(NEVER)?;
    assert_eq!((shutdown.ended, shutdown.dropped), (3, 0));
    for task in tasks {
        outside(task)?;
    }
    Ok(())
}

fn the_grace_period_is_waited_for_and_no_longer(variant: Variant) -> io::Result<()> {
    let grace = Duration::from_millis(5);
    let runtime = variant.runtime()?;
    let deaf = runtime.spawn(pending::<()>());
    let slow = runtime.spawn(async { sleep(NEVER).await });
    let start = Instant::now();
    let shutdown = runtime.shutdown(grace)?;
    assert!(start.elapsed() >= grace);
    assert_eq!((shutdown.ended, shutdown.dropped), (0, 2));
    assert!(outside(deaf).expect_err("it was dropped").is_cancelled());
    assert!(outside(slow).expect_err("it was dropped").is_cancelled());
    Ok(())
}

fn without_tasks_nobody_waits(variant: Variant) -> io::Result<()> {
    // A wait would take an hour, which the harness does not allow.
    let shutdown = variant.runtime()?.shutdown(NEVER)?;
    assert_eq!((shutdown.ended, shutdown.dropped), (0, 0));
    Ok(())
}

fn no_grace_drops_at_once(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    for _ in 0..1000 {
        runtime.spawn(async { sleep(NEVER).await }).detach();
    }
    // Even then everybody who is asked gets one poll, however many do not listen.
    runtime.spawn(stopping()).detach();
    while runtime.run_until_stalled() {}
    let shutdown = runtime.shutdown(Duration::ZERO)?;
    assert_eq!((shutdown.ended, shutdown.dropped), (1, 1000));
    Ok(())
}

struct Says(u32, Rc<RefCell<Vec<u32>>>);

impl Drop for Says {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

fn what_is_left_is_dropped_in_the_order_of_slots(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let order = Rc::new(RefCell::new(Vec::new()));
    for number in 0..10 {
        let says = Says(number, Rc::clone(&order));
        let task = async move {
            let _says = says;
            if number % 3 == 0 {
                stopping().await;
            } else {
                pending::<()>().await;
            }
        };
        runtime.spawn(task).detach();
    }
    let shutdown = runtime.shutdown(Duration::from_millis(1))?;
    assert_eq!((shutdown.ended, shutdown.dropped), (4, 6));
    assert_eq!(*order.borrow(), [0, 3, 6, 9, 1, 2, 4, 5, 7, 8]);
    Ok(())
}

fn a_task_spawned_in_the_grace_period_runs(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let said = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&said);
    let task = async move {
        stopping().await;
        let last = Rc::clone(&theirs);
        let farewell = spawn(async move {
            sleep(Duration::from_millis(2)).await;
            last.borrow_mut().push("bye");
        });
        farewell.await.expect("it has the time");
        // Whoever asks late hears it at once.
        stopping().await;
        spawn(pending::<()>()).detach();
    };
    runtime.spawn(task).detach();
    let shutdown = runtime.shutdown(Duration::from_millis(500))?;
    assert_eq!((shutdown.ended, shutdown.dropped), (2, 1));
    assert_eq!(*said.borrow(), ["bye"]);
    Ok(())
}

fn connections_finish_their_message(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let client = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        // The accept loop ends when it is asked to, and the connection when its client leaves.
        spawn(async move {
            let stopped = async {
                stopping().await;
                None
            };
            let accepted = async { Some(listener.accept().await) };
            let Some(Ok((stream, _))) = future::or(accepted, stopped).await else {
                return;
            };
            spawn(harness::echo(stream)).detach();
            stopping().await;
        })
        .detach();
        let client = reactor::net::TcpStream::connect(address).await?;
        round_trip(&client, b"before").await?;
        io::Result::Ok(client)
    })??;
    let talk = runtime.spawn(async move {
        stopping().await;
        round_trip(&client, b"after").await
    });
    let shutdown = runtime.shutdown(NEVER)?;
    assert_eq!(shutdown.dropped, 0);
    outside(talk)?
}

fn stopping_leaves_nothing_behind_when_dropped(variant: Variant) -> io::Result<()> {
    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    variant.block_on(async {
        let nobody = Arc::new(Nobody);
        let waker = Waker::from(Arc::clone(&nobody));
        // Beside other work, it is made and dropped for each message.
        for _ in 0..10 {
            let mut stopping = std::pin::pin!(stopping());
            let polled = stopping.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            assert_eq!(Arc::strong_count(&nobody), 3);
        }
        assert_eq!(Arc::strong_count(&nobody), 2, "wakers are left behind");
        Ok(())
    })
}

fn a_destructor_that_panics_is_no_obstacle(variant: Variant) -> io::Result<()> {
    struct Panics;

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in the destructor");
        }
    }

    let runtime = variant.runtime()?;
    let order = Rc::new(RefCell::new(Vec::new()));
    let (panics, says) = (Panics, Says(1, Rc::clone(&order)));
    let hold = |held: Box<dyn std::any::Any>| async move {
        let _held = held;
        pending::<()>().await;
    };
    runtime.spawn(hold(Box::new(panics))).detach();
    runtime.spawn(hold(Box::new(says))).detach();
    // One more that never becomes a task.
    let letter = Panics;
    runtime
        .spawner()
        .spawn(async move { drop(letter) })
        .detach();
    drop(runtime);
    assert_eq!(*order.borrow(), [1]);
    Ok(())
}

fn other_threads_hear_that_it_is_over(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let spawner = runtime.spawner();
    let task = spawner.spawn(pending::<()>());
    let waits = std::thread::spawn(move || outside(task));
    runtime.shutdown(Duration::from_millis(1))?;
    assert!(waits.join().unwrap().expect_err("dropped").is_cancelled());
    assert!(spawner.is_closed());
    Ok(())
}

fn what_is_ready_wins_against_a_stop(variant: Variant) -> io::Result<()> {
    assert!(!is_stopping(), "no runtime, no stop");
    variant.block_on(async {
        assert!(!is_stopping());
        assert_eq!(unless_stopping(ready(7)).await, Some(7));
        request_stop();
        assert!(is_stopping());
        assert_eq!(unless_stopping(ready(7)).await, Some(7));
        assert_eq!(unless_stopping(pending::<()>()).await, None);
        request_stop();
        stopping().await;
        Ok(())
    })
}

fn a_stop_ends_whoever_waits_and_wakes_each_task_once(variant: Variant) -> io::Result<()> {
    let polls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&polls);
    variant.block_on(async move {
        let waiting: Vec<_> = (0..100)
            .map(|_| spawn(unless_stopping(pending::<()>())))
            .collect();
        let deaf = spawn(poll_fn(move |_| {
            counted.set(counted.get() + 1);
            Poll::<()>::Pending
        }));
        // The future of `block_on` hears of it, too, from a task that asks.
        let asks = spawn(async {
            yield_now().await;
            request_stop();
            request_stop();
        });
        assert_eq!(unless_stopping(pending::<()>()).await, None);
        asks.await?;
        for task in waiting {
            assert_eq!(task.await?, None);
        }
        assert!(!deaf.is_finished());
        Ok(())
    })?;
    assert_eq!(polls.get(), 2, "at the beginning, and for the stop");
    Ok(())
}

/// A waker as sets of futures have them: it notes that this future is to be polled, and wakes the task.
struct Noted {
    noted: std::sync::atomic::AtomicBool,
    task: Waker,
}

impl Wake for Noted {
    fn wake(self: Arc<Self>) {
        self.noted.store(true, std::sync::atomic::Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

/// Polls `future` only when its own waker was called.
async fn when_noted<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let task = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let noted = Arc::new(Noted {
        noted: true.into(),
        task,
    });
    let waker = Waker::from(Arc::clone(&noted));
    poll_fn(|_| {
        if noted
            .noted
            .swap(false, std::sync::atomic::Ordering::Relaxed)
        {
            future.as_mut().poll(&mut Context::from_waker(&waker))
        } else {
            Poll::Pending
        }
    })
    .await
}

fn a_stop_is_heard_behind_the_waker_of_a_combinator(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let first = runtime.spawn(when_noted(stopping()));
    let second = runtime.spawn(when_noted(unless_stopping(pending::<()>())));
    runtime.block_on(yield_now())?;
    let shutdown = runtime.shutdown(NEVER)?;
    assert_eq!((shutdown.ended, shutdown.dropped), (2, 0));
    outside(first)?;
    assert_eq!(outside(second)?, None);
    Ok(())
}

fn a_stop_is_heard_in_another_runtime_on_the_same_thread(variant: Variant) -> io::Result<()> {
    let (one, other) = (variant.runtime()?, variant.runtime()?);
    // A waker of the one, and a future that the other polls with it.
    let waker = Rc::new(RefCell::new(None));
    let (left, polls) = (Rc::clone(&waker), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&polls);
    one.spawn(poll_fn(move |cx| {
        counted.set(counted.get() + 1);
        left.replace(Some(cx.waker().clone()));
        Poll::<()>::Pending
    }))
    .detach();
    one.run_until_stalled();
    let waker = waker.take().expect("it was polled");
    other.block_on(async {
        let mut stop = std::pin::pin!(stopping());
        let mut cx = Context::from_waker(&waker);
        assert!(stop.as_mut().poll(&mut cx).is_pending());
        request_stop();
        assert!(stop.as_mut().poll(&mut cx).is_ready());
    })?;
    assert_eq!(polls.get(), 1);
    one.run_until_stalled();
    assert_eq!(
        polls.get(),
        2,
        "the waker that it was polled with was called"
    );
    Ok(())
}

fn a_stop_of_one_runtime_is_none_of_another(variant: Variant) -> io::Result<()> {
    let (one, other) = (variant.runtime()?, variant.runtime()?);
    let task = other.spawn(unless_stopping(pending::<()>()));
    other.run_until_stalled();
    one.block_on(async { request_stop() })?;
    other.run_until_stalled();
    other.block_on(async { assert!(!is_stopping()) })?;
    assert!(!task.is_finished());
    one.block_on(async {
        assert!(is_stopping());
        // Both calls mean the runtime that is entered, as `spawn` does.
        let inside = other.enter();
        assert!(!is_stopping());
        drop(inside);
        assert!(is_stopping());
    })?;
    let shutdown = other.shutdown(NEVER)?;
    assert_eq!((shutdown.ended, shutdown.dropped), (1, 0));
    Ok(())
}

/// Whoever observes begins before the wait, in it or after it.
fn a_stop_is_heard_while_somebody_observes(variant: Variant) -> io::Result<()> {
    struct Watches;

    impl Observer for Watches {
        fn event(&self, _: Event<'_>, _: &'static Location<'static>) {}
    }

    for begin in 0..3 {
        let runtime = variant.runtime()?;
        let observe = |at| {
            if at == begin {
                runtime.reactor().observe(Some(Rc::new(Watches)));
            }
        };
        observe(0);
        let tasks: Vec<_> = (0..3)
            .map(|_| runtime.spawn(unless_stopping(pending::<()>())))
            .collect();
        runtime.run_until_stalled();
        observe(1);
        runtime.block_on(async {
            yield_now().await;
            request_stop();
        })?;
        observe(2);
        runtime.run_until_stalled();
        for task in tasks {
            assert_eq!(outside(task)?, None);
        }
    }
    Ok(())
}
