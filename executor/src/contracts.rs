//! Contracts: what holds wherever foreign code is called, whatever is awaited, and however often
//! something is named.
//!
//! This module holds no code. Each row of its tables is a test, and a row without a test, or a test
//! without a row, is an error.
//!
//! # Foreign code
//!
//! Wakers, closures, observers, and the destructors of what users give us may do anything: spawn,
//! wake, abort, drop handles, look at a [`dump`](crate::dump), and panic. Wherever they are called
//! nothing of ours is borrowed, except where the table says so, and what we have to do for others is
//! either done or will be.
//!
//! *Contained*: the panic hook has reported it, and whoever caused the call hears nothing. A payload
//! that is contained is dropped. *Told*: [`JoinError::is_panic`](crate::JoinError::is_panic), by
//! whatever handle the task has. *Passes through*: to the caller, who gave us that code and is on the
//! stack.
//!
//! | what is called | borrowed | a panic |
//! |---|---|---|
//! | the poll of a task | nothing | told; the task is over |
//! | the poll of the future of `block_on` | nothing | passes through; the tasks go on in the next `block_on` |
//! | the destructor of a future that is over | nothing | contained; the result stands |
//! | the destructor of a future that is aborted | nothing | told |
//! | the destructor of a future at the end of its runtime | nothing | told; the other tasks are dropped all the same |
//! | the destructor of a future that comes too late | nothing | told; `spawn` returns its handle |
//! | the destructor of the future of `block_on` | nothing | passes through |
//! | the destructor of an output whose handle is dropped | nothing | contained |
//! | the destructors of outputs in a set that is dropped | nothing | contained, each |
//! | the destructor of an output that nobody waits for | nothing | contained |
//! | the waker of who joins | nothing | contained; the task is over, its result is there |
//! | the waker of who awaits `stopping` | nothing | contained; the others are woken |
//! | the clone of a waker | nothing | passes through; the await can be polled again |
//! | the destructor of a waker that is replaced | nothing | passes through; the new one is stored |
//! | the destructor of a waker that is given up | nothing | contained |
//! | the closure of `spawn_with` | nothing | told |
//! | the destructor of what was sent to a runtime that is gone | nothing | told |
//! | the destructor of a payload | nothing | contained, and that payload is dropped as well |
//! | the destructor of a task-local value | nothing | as that of the future around it |
//! | the closure of `TaskLocal::with` | nothing | passes through |
//! | the closure of `TaskLocal::sync_scope` | nothing | passes through; the value before is there again |
//! | the clone of a task-local value in `get` | nothing | passes through |
//! | what a turn of the reactor calls | nothing | contained |
//! | an observer | perhaps: it must not use the runtime | contained; it goes on observing |
//!
//! # Awaits
//!
//! An await that can be ready again and again without waiting spends from the budget of its task, as
//! each operation of the reactor does; when that is used up, the task goes to the end of the queue,
//! and nothing is lost. [`Reactor::poll_budget`](reactor::Reactor::poll_budget) does the same for
//! awaits of others.
//!
//! | what is awaited | when it is ready at once |
//! |---|---|
//! | `JoinHandle` | spends |
//! | `AbortOnDrop` | spends |
//! | `SendHandle` | spends |
//! | `TaskSet::join_next` | spends |
//! | `TaskSet::poll_join_next` | spends |
//! | `TaskSet::join_next_with_id` | spends |
//! | `TaskSet::join_all` | spends |
//! | `TaskSet::shutdown` | spends |
//! | `TaskSet` as a stream | spends |
//! | `consume_budget` | spends |
//! | `unconstrained` | nothing, whatever the future in it does |
//! | `stopping` | spends |
//! | `unless_stopping` | what the future in it spends; if a stop ends it, spends |
//! | `TaskLocal::scope` | what the future in it spends |
//! | `yield_now` | never is |
//!
//! # Names
//!
//! A name is never given twice while its first bearer may live. Nobody counts our wakers, so the id
//! of a task is never given twice in a process. Those that come too late for their runtime share one: they
//! are over before they begin, and nobody can wake them.
//!
//! | counter | bits | what happens at its end |
//! |---|---|---|
//! | generation of a slot | 22 | the slot is retired: at one task in a microsecond, one slot in 4 s |
//! | generation of the slot of `block_on` | 22 | another slot takes its place |
//! | slot | 24 | `spawn` panics: that many tasks exist, or slots are retired |
//! | number of a runtime | 16 | making one is an error; one that is free goes on with the ids of the last that had it |
//! | place of a `stopping` | 64 | after 584 years, at one in a nanosecond |
//! | counters of `Metrics` | 64 | the same |

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};
    use std::future::poll_fn;
    use std::io;
    use std::task::{Context, Poll, Waker};

    use crate::ready::marks::{Marks, Past};
    use crate::task::id::Id;
    use crate::{Runtime, spawn, stopping};

    type Row = (&'static str, fn() -> io::Result<()>);

    const ROWS: [Row; 6] = [
        ("generation of a slot", generations_of_a_slot),
        (
            "generation of the slot of `block_on`",
            generations_of_the_root,
        ),
        ("slot", slots),
        ("number of a runtime", numbers_of_runtimes),
        ("place of a `stopping`", places_of_stopping),
        ("counters of `Metrics`", metrics),
    ];

    const LAST: u32 = Id::GENERATIONS - 1;

    #[test]
    fn every_counter_that_names_something_ends_as_the_table_says() -> io::Result<()> {
        let table: BTreeSet<_> = include_str!("contracts.rs")
            .lines()
            .skip_while(|line| *line != "//! # Names")
            .take_while(|line| line.starts_with("//!"))
            .filter_map(|line| line.strip_prefix("//! | ")?.split(" |").next())
            .filter(|row| *row != "counter")
            .collect();
        assert_eq!(table, ROWS.iter().map(|(row, _)| *row).collect());
        ROWS.iter().try_for_each(|(_, test)| test())
    }

    /// A runtime whose slots have a few ids left.
    fn near_the_end(slots: u32) -> io::Result<Runtime> {
        let runtime = Runtime::new()?;
        let number = runtime.core.number;
        runtime
            .core
            .scheduler
            .borrow_mut()
            .age(number, Past::of(number, slots, LAST - 3));
        Ok(runtime)
    }

    fn generations_of_a_slot() -> io::Result<()> {
        let runtime = near_the_end(3)?;
        let mut given = HashSet::new();
        let mut wakers: Vec<Waker> = Vec::new();
        for round in 0..50 {
            let handle = runtime.spawn(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
            assert!(given.insert(handle.id()), "{} was given twice", handle.id());
            // Nobody of those before is woken for this one, nor aborted.
            let mut polls = 0;
            let neighbour = runtime.spawn(poll_fn(move |_| {
                polls += 1;
                assert_eq!(polls, 1);
                Poll::<()>::Pending
            }));
            assert!(given.insert(neighbour.id()));
            wakers.push(runtime.block_on(handle)?.unwrap());
            runtime.block_on(async {
                wakers.iter().for_each(Waker::wake_by_ref);
                crate::yield_now().await;
            })?;
            assert!(!neighbour.is_finished(), "round {round}");
            neighbour.abort();
            runtime.run_until_stalled();
            assert!(neighbour.is_finished(), "round {round}");
        }
        Ok(())
    }

    fn generations_of_the_root() -> io::Result<()> {
        let runtime = near_the_end(1)?;
        let mut roots: Vec<Waker> = Vec::new();
        for _ in 0..20 {
            let waker = runtime.block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())))?;
            assert!(!roots.iter().any(|root| root.will_wake(&waker)));
            roots.push(waker);
            let answer = runtime.block_on(async { spawn(async { 7 }).await })?;
            assert_eq!(answer.unwrap(), 7);
        }
        assert_eq!(runtime.tasks(), 0);
        assert!(runtime.dump().is_empty());
        Ok(())
    }

    fn slots() -> io::Result<()> {
        let mut marks = Marks::full_but_one();
        assert_eq!(marks.grow() as usize, Id::MAX_SLOTS - 1);
        let more = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| marks.grow()));
        assert!(more.is_err());
        assert_eq!(marks.len(), Id::MAX_SLOTS);
        Ok(())
    }

    fn numbers_of_runtimes() -> io::Result<()> {
        let mut given = HashSet::new();
        for _ in 0..20 {
            let runtime = Runtime::new()?;
            for _ in 0..3 {
                let task = runtime.spawn(std::future::pending::<()>());
                assert!(given.insert(task.id()), "{} was given twice", task.id());
            }
        }
        Ok(())
    }

    fn places_of_stopping() -> io::Result<()> {
        let runtime = Runtime::new()?;
        runtime.core.stop.begin_at(u64::from(u32::MAX) - 1);
        for _ in 0..4 {
            // Polled with a waker that is not the task's: those are kept.
            let mut stop = Box::pin(stopping());
            let wait = poll_fn(move |cx| {
                let task = cx.waker().clone();
                let waker = waker_fn::waker_fn(move || task.wake_by_ref());
                stop.as_mut().poll(&mut Context::from_waker(&waker))
            });
            runtime.spawn(wait).detach();
        }
        runtime.run_until_stalled();
        let stopped = runtime.shutdown(std::time::Duration::from_secs(3600))?;
        assert_eq!((stopped.ended, stopped.dropped), (4, 0));
        Ok(())
    }

    fn metrics() -> io::Result<()> {
        let runtime = Runtime::new()?;
        runtime.core.polls.add(u32::MAX.into());
        runtime.core.local_wakes.add(u32::MAX.into());
        runtime.core.messages.add(u32::MAX.into());
        runtime.block_on(crate::yield_now())?;
        assert_eq!(runtime.metrics().polls, u64::from(u32::MAX) + 2);
        assert_eq!(runtime.metrics().wakes_by_tasks, u64::from(u32::MAX) + 1);
        Ok(())
    }
}
