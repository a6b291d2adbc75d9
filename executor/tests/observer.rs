//! The observer: every step of a small echo, in order, from the real code; causes; the switch.
#![cfg(unix)]

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use executor::{Runtime, spawn, yield_now};
use reactor::observe::{Cause, Event, Observer, Outcome};
use reactor::time::sleep;
use reactor::{Async, Direction};

#[macro_use]
mod harness;
use harness::{EPOLL_EDGE, Variant};

on_every_backend!(
    causes_are_told_apart,
    it_can_be_switched_on_and_off_at_any_time,
    an_observer_may_take_itself_off,
    a_place_in_the_source_comes_with_each_event,
    a_task_that_is_dropped_is_told,
);

/// Writes down what it is told, in a few words.
#[derive(Default)]
struct Log(RefCell<Vec<String>>);

impl Log {
    /// Tells `runtime` to write into a new log.
    fn of(runtime: &Runtime) -> Rc<Self> {
        let log = Rc::new(Log::default());
        runtime
            .reactor()
            .observe(Some(Rc::clone(&log) as Rc<dyn Observer>));
        log
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

impl Observer for Log {
    fn event(&self, event: Event<'_>, _at: &'static Location<'static>) {
        // Tasks by their slot: the root is 0.
        let slot = |task: u64| task & 0xff_ffff;
        let text = match event {
            Event::Spawn { task, .. } => format!("spawn {}", slot(task)),
            Event::Enqueue { task, queued } => format!("enqueue {} ({queued})", slot(task)),
            Event::PollBegin { task } => format!("poll {}", slot(task)),
            Event::PollEnd { task, ready } => format!("polled {} ready={ready}", slot(task)),
            Event::Done { task } => format!("done {}", slot(task)),
            Event::DropPending { task } => format!("drop {}", slot(task)),
            Event::Syscall { fd, outcome, .. } => format!("call {fd} {outcome:?}"),
            Event::WakerStored {
                fd,
                direction,
                crowded,
                ..
            } => {
                format!("wait {fd} {direction:?} crowded={crowded}")
            }
            Event::Register { fd, .. } => format!("register {fd}"),
            Event::Modify { fd, events } => format!("modify {fd} {}", events.is_some()),
            Event::Unregister { fd } => format!("unregister {fd}"),
            Event::SelectBegin { timeout, keys } => format!("select {timeout:?} of {keys}"),
            Event::SelectEnd { ready } => {
                let fds: Vec<RawFd> = ready.iter().map(|(fd, _)| *fd).collect();
                format!("selected {fds:?}")
            }
            Event::Wake {
                task,
                by,
                coalesced,
            } => {
                format!("wake {} by {by:?} coalesced={coalesced}", slot(task))
            }
            Event::Notify => "notify".to_owned(),
            Event::TimerSet { .. } => "timer set".to_owned(),
            Event::TimerFired { .. } => "timer fired".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.borrow_mut().push(text);
    }
}

/// The circle of the six stations, once round, edge-triggered: a server waits for a byte, and
/// sends it back.
#[test]
fn an_echo_is_told_step_by_step() -> io::Result<()> {
    let runtime = EPOLL_EDGE.runtime()?;
    let (near, far) = UnixStream::pair()?;
    let server = {
        let _entered = runtime.reactor().enter();
        Async::nonblocking(far)?
    };
    let fd = server.as_fd().as_raw_fd();
    let log = Log::of(&runtime);
    runtime
        .spawn(async move {
            let mut byte = [0];
            server.read(&mut byte).await?;
            server.write(&byte).await
        })
        .detach();
    runtime.turn(Some(Duration::ZERO))?;
    let first = log.take();
    let expected = [
        // Station ready queue: it is made, and queued for its first poll.
        "spawn 1".to_owned(),
        "enqueue 1 (1)".to_owned(),
        // Station poll, then syscall, then waker, then key.
        "poll 1".to_owned(),
        format!("call {fd} {:?}", Outcome::WouldBlock),
        format!("wait {fd} {:?} crowded=false", Direction::Read),
        format!("register {fd}"),
        "polled 1 ready=false".to_owned(),
        // Station select: nobody is ready yet.
        format!("select {:?} of 1", Some(Duration::ZERO)),
        "selected []".to_owned(),
    ];
    // The kernel may mention the room for output that every new key has.
    let first: Vec<_> = first
        .into_iter()
        .map(|line| match line.strip_prefix("selected [") {
            Some(_) => "selected []".to_owned(),
            None => line,
        })
        .collect();
    assert_eq!(first, expected);

    io::Write::write_all(&mut &near, b"x")?;
    runtime.turn(None)?;
    let expected = [
        "select None of 1".to_owned(),
        format!("selected [{fd}]"),
        format!("wake 1 by {:?} coalesced=false", Cause::Reactor),
        "enqueue 1 (1)".to_owned(),
        "poll 1".to_owned(),
        format!("call {fd} {:?}", Outcome::Done),
        format!("call {fd} {:?}", Outcome::Done),
        // The future is over before its socket is dropped with it.
        format!("unregister {fd}"),
        "polled 1 ready=true".to_owned(),
        "done 1".to_owned(),
    ];
    assert_eq!(log.take(), expected);
    let mut answer = [0];
    io::Read::read_exact(&mut &near, &mut answer)?;
    assert_eq!(&answer, b"x");
    Ok(())
}

fn causes_are_told_apart(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let log = Log::of(&runtime);
    let wakes = |by: Cause| {
        let text = format!("by {by:?}");
        let lines = log.take();
        lines
            .iter()
            .filter(|line| line.starts_with("wake ") && line.contains(&text))
            .count()
    };
    runtime.block_on(async { yield_now().await })?;
    assert_eq!(wakes(Cause::Task), 1);
    runtime.block_on(async { sleep(Duration::from_millis(1)).await })?;
    assert_eq!(wakes(Cause::Timer), 1);
    runtime.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let far = Async::nonblocking(far)?;
        let reader = spawn(async move { far.read(&mut [0; 8]).await });
        yield_now().await;
        yield_now().await;
        io::Write::write_all(&mut &near, b"x")?;
        reader.await??;
        io::Result::Ok(())
    })??;
    assert_eq!(wakes(Cause::Reactor), 1);
    runtime.block_on(async {
        let mut sent = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut sent, true) {
                return std::task::Poll::Ready(());
            }
            let waker = cx.waker().clone();
            std::thread::spawn(move || waker.wake());
            std::task::Poll::Pending
        })
        .await;
    })?;
    let lines = log.0.borrow().clone();
    assert!(
        lines
            .iter()
            .any(|line| line == "wake 0 by Thread coalesced=false"),
        "{lines:#?}"
    );
    // A wake of somebody who is queued already changes nothing, and says so.
    log.take();
    runtime.block_on(async {
        let mut polls = 0;
        std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            polls += 1;
            if polls == 2 {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
    })?;
    let lines = log.take();
    assert!(
        lines
            .iter()
            .any(|line| line == "wake 0 by Task coalesced=true"),
        "{lines:#?}"
    );
    Ok(())
}

fn it_can_be_switched_on_and_off_at_any_time(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (near, far) = UnixStream::pair()?;
        let (near, far) = (Async::nonblocking(near)?, Async::nonblocking(far)?);
        let echo = async || {
            near.write_all(b"x").await?;
            io::Result::Ok(far.read(&mut [0]).await? == 1)
        };
        assert!(echo().await?);
        assert!(!runtime.reactor().is_observed());
        let log = Log::of(&runtime);
        assert!(runtime.reactor().is_observed());
        assert!(echo().await?);
        let lines = log.take();
        assert!(
            lines.iter().filter(|line| line.contains("Done")).count() >= 2,
            "{lines:#?}"
        );
        runtime.reactor().observe(None);
        assert!(echo().await?);
        yield_now().await;
        assert_eq!(log.take(), [""; 0]);
        assert_eq!(Rc::strong_count(&log), 1, "it is let go");
        io::Result::Ok(())
    })?
}

fn an_observer_may_take_itself_off(variant: Variant) -> io::Result<()> {
    struct Once(Cell<u32>, reactor::Reactor);

    impl Observer for Once {
        fn event(&self, _: Event<'_>, _: &'static Location<'static>) {
            self.0.set(self.0.get() + 1);
            self.1.observe(None);
        }
    }

    let runtime = variant.runtime()?;
    let once = Rc::new(Once(Cell::new(0), runtime.reactor().clone()));
    runtime
        .reactor()
        .observe(Some(Rc::clone(&once) as Rc<dyn Observer>));
    runtime.block_on(async {
        for _ in 0..5 {
            yield_now().await;
        }
    })?;
    assert_eq!(once.0.get(), 1);
    Ok(())
}

fn a_place_in_the_source_comes_with_each_event(variant: Variant) -> io::Result<()> {
    #[derive(Default)]
    struct Places(RefCell<Vec<&'static Location<'static>>>);

    impl Observer for Places {
        fn event(&self, event: Event<'_>, at: &'static Location<'static>) {
            if let Event::Spawn { from, .. } = event {
                assert_eq!(from.file(), file!());
            }
            self.0.borrow_mut().push(at);
        }
    }

    let runtime = variant.runtime()?;
    let places = Rc::new(Places::default());
    runtime
        .reactor()
        .observe(Some(Rc::clone(&places) as Rc<dyn Observer>));
    runtime.block_on(async { spawn(async { sleep(Duration::from_millis(1)).await }).await })??;
    let places = places.0.borrow();
    let ours = ["executor/src/", "reactor/src/", "selectors-core/src/sys/"];
    for place in places.iter() {
        let file = place.file();
        assert!(ours.iter().any(|folder| file.contains(folder)), "{file}");
    }
    assert!(places.len() > 8);
    Ok(())
}

fn a_task_that_is_dropped_is_told(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    let log = Log::of(&runtime);
    runtime.block_on(async {
        let task = spawn(std::future::pending::<()>());
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
    })?;
    runtime.spawn(std::future::pending::<()>()).detach();
    drop(runtime);
    let drops = log.take().iter().filter(|line| *line == "drop 1").count();
    assert_eq!(drops, 2);
    Ok(())
}
