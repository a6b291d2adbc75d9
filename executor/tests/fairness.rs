//! The cooperative budget: a socket that is always ready starves nobody.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use executor::net::UdpSocket;
use executor::time::sleep;
use executor::{JoinHandle, consume_budget, spawn, yield_now};
use reactor::{Reactor, Trigger};

#[macro_use]
mod harness;
use harness::{Variant, pair, until};

on_every_backend!(
    a_greedy_task_lets_others_run,
    a_greedy_task_lets_the_kernel_be_asked_each_time,
    a_task_within_its_budget_is_not_interrupted,
    a_loop_by_hand_inside_of_a_task_gives_budgets_of_its_own,
    a_task_that_makes_passes_of_its_own_holds_nobody_up,
    those_who_wait_on_one_socket_take_turns,
);

/// How many operations a task may complete in one poll; a part of the contract of the reactor.
fn budget() -> usize {
    match Reactor::current().trigger() {
        Trigger::Edge => 16,
        _ => 32,
    }
}

/// A byte there and back, again and again: never WouldBlock. Counts.
async fn greedy(steps: Rc<Cell<usize>>, stop: Rc<Cell<bool>>) -> io::Result<()> {
    let (near, far) = pair().await?;
    while !stop.get() {
        near.write_all(b"x").await?;
        far.read_exact(&mut [0]).await?;
        steps.set(steps.get() + 2);
    }
    Ok(())
}

fn a_greedy_task_lets_others_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (steps, stop) = (Rc::default(), Rc::new(Cell::new(false)));
        let task = spawn(greedy(Rc::clone(&steps), Rc::clone(&stop)));
        until(|| steps.get() != 0).await;
        for _ in 0..100 {
            let before: usize = steps.get();
            yield_now().await;
            let taken = steps.get() - before;
            assert_eq!(taken, budget(), "operations in one poll");
        }
        assert!(steps.get() >= 10 * budget(), "it does not run at all");
        stop.set(true);
        task.await?
    })
}

fn a_greedy_task_lets_the_kernel_be_asked_each_time(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (steps, stop) = (Rc::default(), Rc::new(Cell::new(false)));
        let task = spawn(greedy(Rc::clone(&steps), Rc::clone(&stop)));
        until(|| steps.get() != 0).await;
        let (before, turns): (usize, _) = (steps.get(), runtime.metrics().turns);
        for _ in 0..50 {
            yield_now().await;
        }
        let taken = steps.get() - before;
        let turns = (runtime.metrics().turns - turns) as usize;
        assert!(
            taken <= (turns + 1) * budget(),
            "{taken} operations in {turns} turns"
        );
        stop.set(true);
        task.await?
    })?
}

fn a_task_within_its_budget_is_not_interrupted(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (near, far) = pair().await?;
        yield_now().await;
        let polls = runtime.metrics().wakes_by_tasks;
        for _ in 0..budget() / 2 - 2 {
            near.write_all(b"x").await?;
            far.read_exact(&mut [0]).await?;
        }
        assert_eq!(runtime.metrics().wakes_by_tasks, polls);
        io::Result::Ok(())
    })?
}

/// Its waker is none: what it polls goes on after a turn of the reactor that it drives, or never.
fn a_loop_by_hand_inside_of_a_task_gives_budgets_of_its_own(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let finished: Vec<_> = (0..100).map(|_| spawn(async {})).collect();
        until(|| finished.iter().all(JoinHandle::is_finished)).await;
        let inner = variant.reactor()?;
        let _driven = inner.drive();
        let mut future = pin!(async {
            for handle in finished {
                handle.await.expect("no panic");
            }
            for _ in 0..100 {
                consume_budget().await;
            }
        });
        let mut cx = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut cx).is_pending() {
            inner.turn(None)?;
        }
        Ok(())
    })
}

fn a_task_that_makes_passes_of_its_own_holds_nobody_up(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for steps in [1, 3, usize::MAX] {
            let over = Rc::new(Cell::new(false));
            let is_over = Rc::clone(&over);
            let busy = spawn(async move {
                while !is_over.get() {
                    {
                        let reactor = Reactor::current();
                        let pass = reactor.begin_pass(steps);
                        pass.begin_step();
                        assert_eq!(pass.end_step(), steps != 1);
                        assert_eq!(reactor.begin_pass(7).left(), 7);
                        pass.skip(usize::MAX);
                        assert!(!pass.end_step());
                    }
                    yield_now().await;
                }
            });
            sleep(Duration::from_millis(5)).await;
            over.set(true);
            busy.await.expect("no panic");
        }
        Ok(())
    })
}

/// Who has taken something comes again after those who found nothing.
fn those_who_wait_on_one_socket_take_turns(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for crowd in [2, 3, 5] {
            let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
            let taken = Rc::new(RefCell::new(vec![0; crowd]));
            let tasks: Vec<_> = (0..crowd)
                .map(|me| {
                    let (socket, taken) = (Rc::clone(&socket), Rc::clone(&taken));
                    spawn(async move {
                        while socket.recv(&mut [0; 8]).await.is_ok() {
                            taken.borrow_mut()[me] += 1;
                        }
                    })
                    .abort_on_drop()
                })
                .collect();
            let sender = std::net::UdpSocket::bind("127.0.0.1:0")?;
            for sent in 0..20 * crowd {
                until(|| taken.borrow().iter().sum::<usize>() == sent).await;
                // Whoever was woken for nothing waits again.
                sleep(Duration::from_millis(1)).await;
                sender.send_to(b"x", socket.local_addr()?)?;
            }
            let taken = taken.borrow();
            assert!(taken.iter().all(|taken| *taken >= 10), "{taken:?}");
            drop(tasks);
        }
        Ok(())
    })
}
