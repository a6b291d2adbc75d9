//! Sets of tasks, and handles that abort: who ends when, and what is left behind.

use std::cell::Cell;
use std::future::pending;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use executor::{JoinError, TaskSet, spawn, spawn_named, yield_now};
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, until};

on_every_backend!(
    one_of_a_set_is_aborted_by_its_id,
    tasks_of_a_set_that_were_let_go_run_on,
    the_first_error_of_a_set_ends_the_others,
    results_that_nobody_gets_are_dropped_each_by_itself,
    a_set_that_is_shut_down_waits_for_all,
    a_set_is_made_of_futures_and_grows_by_them,
    a_set_has_members_of_two_runtimes,
    results_come_in_the_order_in_which_tasks_end,
    a_set_is_a_stream,
    an_empty_set_is_over_and_can_be_filled_again,
    a_panic_is_a_result_like_any_other,
    abort_all_cancels_those_that_run_and_keeps_results,
    tasks_spawned_after_abort_all_run,
    a_dropped_set_aborts_its_tasks,
    a_join_that_is_dropped_loses_nothing,
    a_set_of_ten_thousand,
    a_set_filled_while_the_runtime_ends_is_cancelled,
    a_handle_that_aborts_on_drop,
    a_handle_that_aborts_on_drop_can_be_awaited,
    a_handle_that_is_kept_does_not_abort,
    a_name_stays_with_the_handle,
);

async fn after(delay: u64) -> u64 {
    sleep(Duration::from_millis(delay)).await;
    delay
}

fn results_come_in_the_order_in_which_tasks_end(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        let ids = [9, 1, 5].map(|delay| set.spawn(after(delay)));
        assert!(ids[0] != ids[1] && ids[1] != ids[2]);
        assert_eq!(set.len(), 3);
        let mut order = Vec::new();
        while let Some(result) = set.join_next().await {
            order.push(result?);
        }
        assert_eq!(order, [1, 5, 9]);
        assert!(set.is_empty());
        Ok(())
    })
}

fn a_set_is_a_stream(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        for delay in [3, 1, 2] {
            set.spawn(after(delay));
        }
        let all: Result<Vec<u64>, _> = set.try_collect().await;
        assert_eq!(all?, [1, 2, 3]);
        Ok(())
    })
}

fn an_empty_set_is_over_and_can_be_filled_again(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        assert!(set.join_next().await.is_none());
        set.spawn(async { 1 });
        assert_eq!(set.join_next().await.expect("one is left")?, 1);
        assert!(set.join_next().await.is_none());
        Ok(())
    })
}

fn a_panic_is_a_result_like_any_other(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(async { panic!("bad luck") });
        set.spawn(async { yield_now().await });
        let first = set.join_next().await.expect("two are left");
        let error = first.expect_err("it panicked");
        assert_eq!(error.panic_message(), Some("bad luck"));
        set.join_next().await.expect("one is left")?;
        Ok(())
    })
}

fn abort_all_cancels_those_that_run_and_keeps_results(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(async { 1 });
        yield_now().await;
        for _ in 0..3 {
            set.spawn(pending());
        }
        yield_now().await;
        set.abort_all();
        assert_eq!(set.join_next().await.expect("it was done before")?, 1);
        for _ in 0..3 {
            let result = set.join_next().await.expect("three are left");
            assert!(result.expect_err("it was aborted").is_cancelled());
        }
        assert!(set.join_next().await.is_none());
        Ok(())
    })
}

fn tasks_spawned_after_abort_all_run(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(pending());
        set.abort_all();
        set.spawn(async { 2 });
        let mut results = [set.join_next().await, set.join_next().await].map(Option::unwrap);
        results.sort_by_key(Result::is_ok);
        assert!(results[0].as_ref().is_err_and(JoinError::is_cancelled));
        assert_eq!(*results[1].as_ref().expect("it came later"), 2);
        Ok(())
    })
}

fn a_dropped_set_aborts_its_tasks(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let held = Rc::new(());
        let mut set = TaskSet::new();
        for _ in 0..5 {
            let held = Rc::clone(&held);
            set.spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
        }
        yield_now().await;
        assert_eq!(Rc::strong_count(&held), 6);
        drop(set);
        until(|| Rc::strong_count(&held) == 1).await;
        Ok(())
    })
}

fn a_join_that_is_dropped_loses_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(after(2));
        assert!(poll_once(set.join_next()).await.is_none());
        sleep(Duration::from_millis(5)).await;
        assert_eq!(set.len(), 1);
        assert_eq!(set.join_next().await.expect("one is left")?, 2);
        Ok(())
    })
}

fn a_set_of_ten_thousand(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        for number in 0..10_000_u64 {
            set.spawn(async move {
                yield_now().await;
                number
            });
        }
        let mut sum = 0;
        while let Some(result) = set.join_next().await {
            sum += result?;
        }
        assert_eq!(sum, 9_999 * 10_000 / 2);
        Ok(())
    })
}

fn a_set_filled_while_the_runtime_ends_is_cancelled(variant: Variant) -> io::Result<()> {
    struct SpawnsOnDrop(Rc<Cell<Option<TaskSet<()>>>>);

    impl Drop for SpawnsOnDrop {
        fn drop(&mut self) {
            let mut set = TaskSet::new();
            set.spawn(async { unreachable!("the runtime is at its end") });
            self.0.set(Some(set));
        }
    }

    let late = Rc::new(Cell::new(None));
    let spawns = SpawnsOnDrop(Rc::clone(&late));
    let runtime = variant.runtime()?;
    let task = runtime.spawn(async move {
        let _spawns = spawns;
        pending::<()>().await;
    });
    task.detach();
    drop(runtime);
    let mut set = late.take().expect("the destructor ran");
    let outcome = futures_lite::future::block_on(set.join_next()).expect("one was spawned");
    assert!(outcome.expect_err("too late").is_cancelled());
    assert!(futures_lite::future::block_on(set.join_next()).is_none());
    Ok(())
}

fn a_handle_that_aborts_on_drop(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let held = Rc::new(());
        let theirs = Rc::clone(&held);
        let task = spawn(async move {
            let _held = theirs;
            pending::<()>().await;
        });
        let task = task.abort_on_drop();
        yield_now().await;
        assert!(!task.is_finished());
        drop(task);
        until(|| Rc::strong_count(&held) == 1).await;
        Ok(())
    })
}

fn a_handle_that_aborts_on_drop_can_be_awaited(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        assert_eq!(spawn(after(1)).abort_on_drop().await?, 1);
        let task = spawn(pending::<()>()).abort_on_drop();
        task.abort();
        assert!(task.await.expect_err("it was aborted").is_cancelled());
        Ok(())
    })
}

fn a_handle_that_is_kept_does_not_abort(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let done = Rc::new(Cell::new(false));
        let theirs = Rc::clone(&done);
        let task = spawn(async move {
            sleep(Duration::from_millis(1)).await;
            theirs.set(true);
        });
        task.abort_on_drop().keep().detach();
        until(|| done.get()).await;
        Ok(())
    })
}

fn a_name_stays_with_the_handle(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let task = spawn_named("worker", async {});
        assert_eq!(task.name(), Some("worker"));
        until(|| task.is_finished()).await;
        assert_eq!(task.name(), Some("worker"));
        let task = task.abort_on_drop();
        assert_eq!(task.name(), Some("worker"));
        assert_eq!(spawn(async {}).name(), None);
        Ok(())
    })
}

fn one_of_a_set_is_aborted_by_its_id(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set = TaskSet::new();
        let ids: Vec<_> = (0..100).map(|_| set.spawn(pending::<()>())).collect();
        yield_now().await;
        assert!(set.try_join_next().is_none());
        for id in ids.iter().rev() {
            assert!(set.abort(*id));
            let (ended, outcome) = set.join_next_with_id().await.expect("one ends");
            assert_eq!(ended, *id);
            let error = outcome.expect_err("it was aborted");
            assert_eq!(error.id(), Some(*id));
        }
        // Those that are no members, or not any more, are left alone.
        let other = spawn(after(1));
        assert!(!set.abort(other.id()) && !set.abort(ids[0]));
        assert_eq!(other.await?, 1);
        assert!(set.join_next_with_id().await.is_none());
        Ok(())
    })
}

fn tasks_of_a_set_that_were_let_go_run_on(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let shared = Rc::new(Cell::new(0));
    runtime.block_on(async {
        let mut set = TaskSet::new();
        for _ in 0..10 {
            let shared = Rc::clone(&shared);
            set.spawn(async move {
                yield_now().await;
                shared.set(shared.get() + 1);
                shared
            });
        }
        set.detach_all();
        assert!(set.is_empty() && set.join_next().await.is_none());
        // The set is as good as new.
        set.spawn(async { Rc::new(Cell::new(7)) });
        assert_eq!(set.join_next().await.unwrap()?.get(), 7);
        drop(set);
        until(|| shared.get() == 10).await;
        io::Result::Ok(())
    })??;
    assert_eq!(runtime.tasks(), 0);
    assert_eq!(Rc::strong_count(&shared), 1, "results are dropped");
    Ok(())
}

fn the_first_error_of_a_set_ends_the_others(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let mut set = TaskSet::new();
        set.spawn(async { 1 });
        set.spawn(async { panic!("the second") });
        set.spawn(pending());
        let error = set.join_all().await.expect_err("one panicked");
        assert_eq!(error.panic_message(), Some("the second"));
        yield_now().await;
    })?;
    assert_eq!(runtime.tasks(), 0);
    Ok(())
}

fn results_that_nobody_gets_are_dropped_each_by_itself(variant: Variant) -> io::Result<()> {
    #[derive(Debug)]
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor");
        }
    }
    variant.block_on(async {
        let mut set = TaskSet::new();
        for _ in 0..2 {
            set.spawn(async { Bomb });
        }
        set.spawn(async { panic!("the third") });
        let error = set.join_all().await.expect_err("one panicked");
        assert_eq!(error.panic_message(), Some("the third"));
        // And when nobody waits any longer.
        let mut set = TaskSet::new();
        for _ in 0..2 {
            set.spawn(async { Bomb });
        }
        set.spawn(pending());
        let mut all = Box::pin(set.join_all());
        for _ in 0..3 {
            assert!(futures_lite::future::poll_once(&mut all).await.is_none());
            yield_now().await;
        }
        drop(all);
        Ok(())
    })
}

fn a_set_that_is_shut_down_waits_for_all(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let mut set = TaskSet::new();
        for _ in 0..10 {
            set.spawn(pending::<u8>());
        }
        set.spawn(async { 7 });
        set.shutdown().await;
        assert!(set.is_empty());
        assert_eq!(executor::dump().len(), 0);
        set.spawn(async { 7 });
        assert_eq!(set.join_next().await.unwrap()?, 7);
        Ok(())
    })?
}

fn a_set_is_made_of_futures_and_grows_by_them(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut set: TaskSet<_> = [3, 1].map(after).into_iter().collect();
        set.extend([2].map(after));
        assert_eq!(set.len(), 3);
        assert_eq!(set.join_all().await?, [1, 2, 3]);
        Ok(())
    })
}

fn a_set_has_members_of_two_runtimes(variant: Variant) -> io::Result<()> {
    let (one, other) = (variant.runtime()?, variant.runtime()?);
    let mut set = TaskSet::new();
    set.spawn_on(async { 1 }, &one.local_spawner());
    let second = set.spawn_on(async { 2 }, &other.local_spawner());
    assert_eq!(other.block_on(set.join_next())?.unwrap()?, 2);
    assert_eq!(one.block_on(set.join_next())?.unwrap()?, 1);
    // Each may end the other's.
    let third = set.spawn_on(pending(), &other.local_spawner());
    assert_ne!(second, third);
    one.block_on(async { assert!(set.abort(third)) })?;
    let outcome = other.block_on(set.join_next())?.unwrap();
    assert!(outcome.expect_err("it was aborted").is_cancelled());
    Ok(())
}
