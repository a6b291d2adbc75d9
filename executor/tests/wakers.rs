//! Who runs when: wakers that outlive what they wake, and the order of the ready queue.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use executor::{spawn, yield_now};
use futures_lite::future::poll_once;
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, until};

on_every_backend!(
    a_stale_waker_wakes_nobody,
    a_wake_before_the_poll_is_one_poll,
    a_wake_during_the_poll_is_another_poll,
    a_task_that_wakes_itself_lets_the_others_run,
    tasks_run_in_the_order_of_their_spawning,
    a_waker_passed_to_another_task_works,
    thousands_of_tasks_come_and_go,
    tasks_survive_from_one_run_to_the_next,
);

/// A task that counts its polls, hands out its waker, and never ends.
fn counting(
    polls: &Rc<Cell<usize>>,
    waker: &Rc<RefCell<Option<Waker>>>,
) -> executor::JoinHandle<()> {
    let (polls, waker) = (Rc::clone(polls), Rc::clone(waker));
    spawn(poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        *waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }))
}

async fn settle() {
    for _ in 0..5 {
        yield_now().await;
    }
}

fn a_stale_waker_wakes_nobody(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (polls, waker) = (Rc::default(), Rc::default());
        let task = counting(&polls, &waker);
        settle().await;
        let stale: Waker = waker.borrow().clone().expect("it was polled");
        task.abort();
        assert!(task.await.expect_err("it was aborted").is_cancelled());

        // The next one lives in the same place, and is not concerned.
        polls.set(0);
        let successor = counting(&polls, &waker);
        settle().await;
        assert_eq!(polls.get(), 1);
        for _ in 0..10 {
            stale.wake_by_ref();
            settle().await;
        }
        assert_eq!(polls.get(), 1, "woken by the waker of its predecessor");
        waker
            .borrow()
            .as_ref()
            .expect("it was polled")
            .wake_by_ref();
        settle().await;
        assert_eq!(polls.get(), 2);
        drop(successor);
        Ok(())
    })
}

fn a_wake_before_the_poll_is_one_poll(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (polls, waker) = (Rc::default(), Rc::default());
        counting(&polls, &waker).detach();
        settle().await;
        let waker: Waker = waker.borrow().clone().expect("it was polled");
        (0..100).for_each(|_| waker.wake_by_ref());
        settle().await;
        assert_eq!(polls.get(), 2);
        Ok(())
    })
}

fn a_wake_during_the_poll_is_another_poll(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut polls = 0;
        let task = spawn(poll_fn(move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            if polls == 100 {
                Poll::Ready(polls)
            } else {
                Poll::Pending
            }
        }));
        assert_eq!(task.await?, 100);
        Ok(())
    })
}

fn a_task_that_wakes_itself_lets_the_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let turns = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..3)
            .map(|number| {
                let turns = Rc::clone(&turns);
                spawn(async move {
                    for _ in 0..100 {
                        turns.borrow_mut().push(number);
                        yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await?;
        }
        let turns = turns.borrow();
        assert!(turns.chunks(3).all(|round| round == [0, 1, 2]), "{turns:?}");
        Ok(())
    })
}

fn tasks_run_in_the_order_of_their_spawning(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..500)
            .map(|number| {
                let order = Rc::clone(&order);
                spawn(async move { order.borrow_mut().push(number) })
            })
            .collect();
        assert!(order.borrow().is_empty(), "polled within the call of spawn");
        for task in tasks {
            task.await?;
        }
        assert!(order.borrow().is_sorted());
        Ok(())
    })
}

fn a_waker_passed_to_another_task_works(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (polls, waker) = (Rc::default(), Rc::default());
        counting(&polls, &waker).detach();
        let theirs: Rc<RefCell<Option<Waker>>> = Rc::clone(&waker);
        spawn(async move {
            sleep(Duration::from_millis(1)).await;
            theirs.take().expect("it was polled").wake();
        })
        .await?;
        until(|| polls.get() == 2).await;
        Ok(())
    })
}

fn thousands_of_tasks_come_and_go(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let mut sum = 0;
        for round in 0..20_u64 {
            let tasks: Vec<_> = (0..250)
                .map(|number| {
                    spawn(async move {
                        for _ in 0..number % 5 {
                            yield_now().await;
                        }
                        round * number
                    })
                })
                .collect();
            for task in tasks {
                sum += task.await?;
            }
            assert_eq!(runtime.tasks(), 0);
        }
        assert_eq!(sum, (0..20).sum::<u64>() * (0..250).sum::<u64>());
        Ok(())
    })?
}

fn tasks_survive_from_one_run_to_the_next(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let mut task = runtime.spawn(async {
        sleep(Duration::from_millis(5)).await;
        9
    });
    runtime.block_on(async {
        assert!(poll_once(&mut task).await.is_none());
        yield_now().await;
    })?;
    assert_eq!(runtime.tasks(), 1);
    // The waker of the first run is stale; the second one must not wait for it.
    assert_eq!(runtime.block_on(&mut task)??, 9);
    Ok(())
}
