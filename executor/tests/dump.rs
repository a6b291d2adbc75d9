//! Dumps: who exists, where they come from, and what each of them waits for.
#![cfg(unix)]

use std::future::pending;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use executor::{TaskInfo, dump, spawn, spawn_named, yield_now};
use futures_lite::future;
use reactor::observe::{Event, Observer};
use reactor::time::{sleep, timeout};
use reactor::{Direction, Waiting};

#[macro_use]
mod harness;
use harness::{Variant, pair};

on_every_backend!(
    names_and_places_are_told,
    a_task_that_reads_waits_for_its_fd,
    a_task_that_writes_waits_for_its_fd,
    a_task_that_sleeps_waits_for_a_timer,
    a_task_with_a_timeout_waits_for_both,
    a_task_with_timeouts_waits_for_the_same_before_the_eyes_of_an_observer,
    each_task_waits_for_its_own,
    a_task_that_is_woken_is_ready,
    a_task_that_nobody_will_wake_is_told_apart,
    tasks_that_are_over_are_gone,
);

fn named(name: &str) -> TaskInfo {
    let tasks = dump();
    let task = tasks
        .into_iter()
        .find(|task| task.name.as_deref() == Some(name));
    task.unwrap_or_else(|| panic!("no task {name:?} in the dump"))
}

fn names_and_places_are_told(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let line = line!() + 1;
        let task = spawn_named("nap", pending::<()>());
        let info = named("nap");
        assert_eq!(info.id, task.id());
        assert_eq!(info.spawned_at.file(), file!());
        assert_eq!(info.spawned_at.line(), line);
        let text = info.to_string();
        let place = format!("task {} \"nap\" at {}:{line}:", task.id(), file!());
        assert!(text.starts_with(&place), "{text}");
        spawn(pending::<()>()).detach();
        assert_eq!(dump().iter().filter(|task| task.name.is_none()).count(), 1);
        Ok(())
    })
}

fn a_task_that_reads_waits_for_its_fd(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (_near, far) = pair().await?;
        let fd = far.as_fd().as_raw_fd();
        spawn_named("reader", async move { far.read(&mut [0; 8]).await }).detach();
        while !named("reader").waits_for.iter().any(|_| true) {
            yield_now().await;
        }
        let info = named("reader");
        let direction = Direction::Read;
        assert_eq!(info.waits_for, [Waiting::Key { fd, direction }]);
        assert!(
            info.to_string()
                .ends_with(&format!(" waits for READ on fd {fd}"))
        );
        Ok(())
    })
}

fn a_task_that_writes_waits_for_its_fd(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, _far) = pair().await?;
        let fd = near.as_fd().as_raw_fd();
        spawn_named("writer", async move {
            loop {
                near.write_all(&[0; 64 * 1024]).await?;
            }
            #[expect(unreachable_code, reason = "says what the block yields")]
            io::Result::Ok(())
        })
        .detach();
        while named("writer").waits_for.is_empty() {
            yield_now().await;
        }
        let info = named("writer");
        let direction = Direction::Write;
        assert_eq!(info.waits_for, [Waiting::Key { fd, direction }]);
        assert!(
            info.to_string()
                .ends_with(&format!(" waits for WRITE on fd {fd}"))
        );
        Ok(())
    })
}

fn a_task_that_sleeps_waits_for_a_timer(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let hour = Duration::from_secs(3600);
        spawn_named("nap", sleep(hour)).detach();
        yield_now().await;
        let info = named("nap");
        let [Waiting::Timer { due_in }] = info.waits_for[..] else {
            panic!("{info:?}");
        };
        assert!(due_in <= hour && due_in > Duration::ZERO);
        assert!(info.to_string().contains(" waits for a timer in "));
        Ok(())
    })
}

fn a_task_with_a_timeout_waits_for_both(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (_near, far) = pair().await?;
        let limit = Duration::from_secs(3600);
        spawn_named("both", async move {
            timeout(limit, far.read(&mut [0; 8])).await
        })
        .detach();
        while named("both").waits_for.is_empty() {
            yield_now().await;
        }
        let info = named("both");
        assert_eq!(info.waits_for.len(), 2, "{info}");
        assert!(info.to_string().contains(" or a timer in "), "{info}");
        Ok(())
    })
}

fn a_task_with_timeouts_waits_for_the_same_before_the_eyes_of_an_observer(
    variant: Variant,
) -> io::Result<()> {
    struct Watches;
    impl Observer for Watches {
        fn event(&self, _: Event<'_>, _: &'static Location<'static>) {}
    }
    let runtime = variant.runtime()?;
    runtime.reactor().observe(Some(Rc::new(Watches)));
    runtime.block_on(async {
        let (_near, far) = pair().await?;
        let fd = far.as_fd().as_raw_fd();
        let limit = Duration::from_secs(3600);
        spawn_named("three", async move {
            timeout(limit, timeout(limit, far.read(&mut [0; 8]))).await
        })
        .detach();
        while named("three").waits_for.is_empty() {
            yield_now().await;
        }
        let info = named("three");
        let direction = Direction::Read;
        assert_eq!(info.waits_for.len(), 3, "{info}");
        assert!(
            info.waits_for.contains(&Waiting::Key { fd, direction }),
            "{info}"
        );
        Ok(())
    })?
}

fn each_task_waits_for_its_own(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (near, far) = pair().await?;
        let fds = [&near, &far].map(|stream| stream.as_fd().as_raw_fd());
        for (name, stream) in [("near", near), ("far", far)] {
            spawn_named(name, async move { stream.read(&mut [0; 8]).await }).detach();
        }
        spawn_named("nap", async { sleep(Duration::from_secs(3600)).await }).detach();
        while dump().iter().any(|task| task.waits_for.is_empty()) {
            yield_now().await;
        }
        for (name, fd) in ["near", "far"].into_iter().zip(fds) {
            let direction = Direction::Read;
            assert_eq!(named(name).waits_for, [Waiting::Key { fd, direction }]);
        }
        assert!(matches!(
            named("nap").waits_for[..],
            [Waiting::Timer { .. }]
        ));
        Ok(())
    })
}

fn a_task_that_is_woken_is_ready(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        spawn_named("new", async {}).detach();
        let info = named("new");
        assert!(info.is_queued && info.waits_for.is_empty());
        assert!(info.to_string().ends_with(" is ready"));
        Ok(())
    })
}

fn a_task_that_nobody_will_wake_is_told_apart(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        spawn_named("lost", pending::<()>()).detach();
        yield_now().await;
        let info = named("lost");
        assert!(!info.is_queued && info.waits_for.is_empty());
        assert!(info.to_string().ends_with(" waits for no key and no timer"));
        Ok(())
    })
}

fn tasks_that_are_over_are_gone(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let tasks: Vec<_> = (0..10).map(|_| spawn(async {})).collect();
        let all = dump();
        assert!(
            tasks
                .iter()
                .all(|task| all.iter().any(|info| info.id == task.id()))
        );
        for task in tasks {
            task.await?;
        }
        assert!(dump().is_empty());
        // Cancelled, an operation waits for nothing any more.
        let (_near, far) = pair().await?;
        let keys = || {
            let mut keys = 0;
            runtime.reactor().for_each_waiter(|_, _| keys += 1);
            keys
        };
        let mut buffer = [0; 8];
        let read = far.read(&mut buffer);
        let mut read = std::pin::pin!(read);
        assert!(future::poll_once(&mut read).await.is_none());
        assert_eq!(keys(), 1);
        assert_eq!(runtime.dump().len(), 0);
        Ok(())
    })?
}
