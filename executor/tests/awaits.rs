//! An await that is ready again and again starves nobody: each row of the table of awaits in
//! `executor::contracts` is a test here, and the other way round.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use executor::{
    JoinHandle, Runtime, TaskSet, consume_budget, request_stop, spawn, stopping, unconstrained,
    unless_stopping, yield_now,
};
use futures_lite::StreamExt;

/// How many operations a task may complete in one poll: by level, and half of them by edge.
const BUDGET: usize = 32;
/// Awaits that are ready at once.
const AWAITS: usize = 100 * BUDGET;

type Row = (&'static str, fn(&Runtime) -> io::Result<usize>);

const ROWS: [Row; 15] = [
    ("`JoinHandle`", join_handles),
    ("`AbortOnDrop`", aborting_handles),
    ("`SendHandle`", send_handles),
    ("`TaskSet::join_next`", join_next),
    ("`TaskSet::poll_join_next`", poll_join_next),
    ("`TaskSet::join_next_with_id`", join_next_with_id),
    ("`TaskSet::join_all`", join_all),
    ("`TaskSet::shutdown`", shutdown_of_sets),
    ("`TaskSet` as a stream", stream),
    ("`consume_budget`", consumes),
    ("`unconstrained`", unconstrained_awaits),
    ("`stopping`", stops),
    ("`unless_stopping`", operations_that_a_stop_ends),
    ("`TaskLocal::scope`", scopes),
    ("`yield_now`", yields),
];

#[test]
fn no_await_that_is_ready_again_and_again_keeps_the_others_waiting() -> io::Result<()> {
    let table: BTreeSet<_> = include_str!("../src/contracts.rs")
        .lines()
        .skip_while(|line| *line != "//! # Awaits")
        .skip(1)
        .take_while(|line| !line.starts_with("//! # "))
        .filter_map(|line| line.strip_prefix("//! | ")?.split(" |").next())
        .filter(|row| *row != "what is awaited")
        .collect();
    assert_eq!(table, ROWS.iter().map(|(row, _)| *row).collect());
    for (row, test) in ROWS {
        let runtime = Runtime::new()?;
        let polls = test(&runtime)?;
        assert!(
            polls >= AWAITS / BUDGET - 1,
            "{row}: the other task ran {polls} times beside {AWAITS} awaits"
        );
    }
    Ok(())
}

/// How often another task is polled while `awaits` runs.
async fn beside(awaits: impl Future<Output = ()>) -> usize {
    let polls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&polls);
    let _other = spawn(async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    })
    .abort_on_drop();
    yield_now().await;
    let before = polls.get();
    awaits.await;
    polls.get() - before
}

/// Handles of tasks that are over.
fn finished(runtime: &Runtime) -> Vec<JoinHandle<usize>> {
    let tasks = (0..AWAITS).map(|number| runtime.spawn(async move { number }));
    let tasks = tasks.collect();
    runtime.run_until_stalled();
    tasks
}

fn join_handles(runtime: &Runtime) -> io::Result<usize> {
    let tasks = finished(runtime);
    runtime.block_on(beside(async {
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.expect("a result"), number);
        }
    }))
}

fn aborting_handles(runtime: &Runtime) -> io::Result<usize> {
    let tasks = finished(runtime);
    runtime.block_on(beside(async {
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.abort_on_drop().await.expect("a result"), number);
        }
    }))
}

fn send_handles(runtime: &Runtime) -> io::Result<usize> {
    let spawner = runtime.spawner();
    let tasks = (0..AWAITS).map(|number| spawner.spawn(async move { number }));
    let tasks: Vec<_> = tasks.collect();
    runtime.run_until_stalled();
    runtime.block_on(beside(async {
        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.expect("a result"), number);
        }
    }))
}

async fn finished_set() -> TaskSet<usize> {
    let mut set = TaskSet::new();
    for number in 0..AWAITS {
        set.spawn(async move { number });
    }
    while executor::dump().iter().any(|task| task.is_queued) {
        yield_now().await;
    }
    set
}

fn join_next(runtime: &Runtime) -> io::Result<usize> {
    let mut set = runtime.block_on(finished_set())?;
    runtime.block_on(beside(async move {
        for number in 0..AWAITS {
            assert_eq!(set.join_next().await.expect("one").expect("ready"), number);
        }
        // Nobody is left: that is ready again and again as well.
        for _ in 0..AWAITS {
            assert!(set.join_next().await.is_none());
        }
    }))
}

fn poll_join_next(runtime: &Runtime) -> io::Result<usize> {
    let mut set = runtime.block_on(finished_set())?;
    runtime.block_on(beside(async move {
        for number in 0..AWAITS {
            let next = poll_fn(|cx| set.poll_join_next(cx)).await;
            assert_eq!(next.expect("one").expect("ready"), number);
        }
    }))
}

fn join_next_with_id(runtime: &Runtime) -> io::Result<usize> {
    let mut set = runtime.block_on(finished_set())?;
    runtime.block_on(beside(async move {
        for number in 0..AWAITS {
            let (_, outcome) = set.join_next_with_id().await.expect("one");
            assert_eq!(outcome.expect("ready"), number);
        }
    }))
}

fn join_all(runtime: &Runtime) -> io::Result<usize> {
    let set = runtime.block_on(finished_set())?;
    runtime.block_on(beside(async move {
        assert_eq!(set.join_all().await.expect("ready").len(), AWAITS);
    }))
}

fn shutdown_of_sets(runtime: &Runtime) -> io::Result<usize> {
    let mut set = runtime.block_on(finished_set())?;
    runtime.block_on(beside(async move {
        set.shutdown().await;
        assert!(set.is_empty());
    }))
}

fn consumes(runtime: &Runtime) -> io::Result<usize> {
    runtime.block_on(beside(async {
        for _ in 0..AWAITS {
            consume_budget().await;
        }
    }))
}

/// That is what is asked for: they keep the others waiting. Where it ends the budget is as before.
fn unconstrained_awaits(runtime: &Runtime) -> io::Result<usize> {
    let polls = runtime.block_on(beside(unconstrained(async {
        for _ in 0..AWAITS {
            consume_budget().await;
        }
    })))?;
    assert_eq!(polls, 0);
    runtime.block_on(beside(async {
        for _ in 0..AWAITS {
            unconstrained(async {
                consume_budget().await;
                consume_budget().await;
            })
            .await;
            consume_budget().await;
        }
    }))
}

fn stream(runtime: &Runtime) -> io::Result<usize> {
    let mut set = runtime.block_on(finished_set())?;
    runtime.block_on(beside(async move {
        let mut joined = 0;
        while let Some(number) = Pin::new(&mut set).next().await {
            assert_eq!(number.expect("ready"), joined);
            joined += 1;
        }
        assert_eq!(joined, AWAITS);
    }))
}

/// Runs while a shutdown is under way.
fn operations_that_a_stop_ends(runtime: &Runtime) -> io::Result<usize> {
    runtime.block_on(async {
        request_stop();
        beside(async {
            for _ in 0..AWAITS {
                let ended = unless_stopping(std::future::pending::<()>()).await;
                assert!(ended.is_none());
            }
        })
        .await
    })
}

fn stops(_: &Runtime) -> io::Result<usize> {
    let runtime = Runtime::new()?;
    let polls = runtime.spawn(async {
        stopping().await;
        beside(async {
            for _ in 0..AWAITS {
                stopping().await;
            }
        })
        .await
    });
    runtime.run_until_stalled();
    runtime.shutdown(std::time::Duration::from_secs(3600))?;
    Ok(futures_lite::future::block_on(polls)?)
}

fn scopes(runtime: &Runtime) -> io::Result<usize> {
    executor::task_local! {
        static NUMBER: usize;
    }
    let tasks = finished(runtime);
    runtime.block_on(beside(async {
        for task in tasks {
            let _ = NUMBER.scope(1, task).await;
        }
    }))
}

fn yields(runtime: &Runtime) -> io::Result<usize> {
    runtime.block_on(beside(async {
        for _ in 0..AWAITS {
            yield_now().await;
        }
    }))
}
