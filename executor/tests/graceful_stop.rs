//! `Runtime::shutdown`: who is asked, who gets time, and in which order the rest is dropped.

use std::cell::RefCell;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use executor::{spawn, stopping, yield_now};
use futures_lite::future::{self, block_on as outside};
use reactor::net::TcpListener;
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
    runtime.spawn(async { sleep(NEVER).await }).detach();
    // Even then everybody who is asked gets one poll.
    runtime.spawn(stopping()).detach();
    let shutdown = runtime.shutdown(Duration::ZERO)?;
    assert_eq!((shutdown.ended, shutdown.dropped), (1, 1));
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
