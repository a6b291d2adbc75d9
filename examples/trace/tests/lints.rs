//! Each lint fires on its own mistake, once, and on no other: small programs that each make one.

mod support;

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::net::{TcpListener, TcpStream, UnixStream};
use executor::time::{sleep, timeout};
use futures_lite::future::zip;
use selectors_core::Backend;
use support::record;
use trace::lint::{self, Hit};
use trace::{Line, Step, Trace};

fn hits_of<F: Future>(future: F) -> Vec<Hit> {
    let text = record(Backend::Poll, future);
    lint::all(&Trace::parse(&text).expect("our own trace is understood"))
}

#[track_caller]
fn assert_only(hits: &[Hit], lint: &str) {
    let kinds: Vec<_> = hits.iter().map(|hit| hit.lint).collect();
    assert_eq!(kinds, [lint], "{hits:#?}");
}

#[test]
fn a_task_that_stored_no_waker_is_lost() {
    let hits = hits_of(async {
        // Pending, and nobody was told whom to wake.
        executor::spawn(poll_fn(|_| Poll::<()>::Pending)).detach();
        sleep(Duration::from_millis(1)).await;
    });
    assert_only(&hits, "lost-task");
    assert!(hits[0].text.contains("task 1"), "{hits:#?}");
}

#[test]
fn a_task_whose_waker_is_somewhere_is_not_lost() {
    let (near, far) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let hits = hits_of(async move {
        let far = UnixStream::from_std(far).expect("non-blocking");
        executor::spawn(async move { far.read(&mut [0; 8]).await }).detach();
        executor::spawn(sleep(Duration::from_secs(3600))).detach();
        let kept = Cell::new(None);
        executor::spawn(poll_fn(move |cx| {
            kept.set(Some(cx.waker().clone()));
            Poll::<()>::Pending
        }))
        .detach();
        sleep(Duration::from_millis(1)).await;
    });
    assert_eq!(hits, []);
    drop(near);
}

#[test]
fn a_poll_that_blocks_is_long() {
    let hits = hits_of(async {
        let task = executor::spawn(async { thread::sleep(Duration::from_millis(150)) });
        task.await.expect("it does not panic");
    });
    assert_only(&hits, "long-poll");
}

/// What this thread has had of a processor, by `proc_pid_schedstat` in proc(5).
#[cfg(target_os = "linux")]
fn computed() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(first.expect("a number"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_poll_is_as_long_as_it_computes_however_busy_the_machine_is() {
    let over = Arc::new(AtomicBool::new(false));
    let busy = 4 * thread::available_parallelism().map_or(1, usize::from);
    let others: Vec<_> = (0..busy)
        .map(|_| {
            let over = Arc::clone(&over);
            thread::spawn(move || while !over.load(Ordering::Relaxed) {})
        })
        .collect();
    // Five want each processor, so that half of what is long takes longer than that by the clock.
    let hits_of_computing = |long| {
        hits_of(async move {
            let began = computed();
            while computed() - began < Duration::from_millis(long) {}
        })
    };
    let short = hits_of_computing(50);
    let long = hits_of_computing(120);
    over.store(true, Ordering::Relaxed);
    others
        .into_iter()
        .for_each(|other| other.join().expect("it spins"));
    assert_eq!(short, []);
    assert_only(&long, "long-poll");
}

#[test]
fn a_poll_that_others_hold_up_is_not_long() {
    for (held_up, hits) in [(200_000_000, 0), (100_000_000, 1)] {
        let text = format!(
            r#"{{"trace":"reactor","version":1,"backend":"poll","trigger":"level"}}
{{"t":1,"e":"poll_begin","task":0}}
{{"t":150000000,"e":"recorder","took":0,"held_up":{}}}
{{"t":250000000,"e":"recorder","took":0,"held_up":{held_up}}}
{{"t":250000000,"e":"poll_end","task":0,"ready":true}}
"#,
            held_up / 2
        );
        let trace = trace::Trace::parse(&text).expect("a trace");
        assert_eq!(trace::lint::all(&trace).len(), hits, "{held_up}");
    }
}

#[test]
fn a_task_that_wakes_itself_in_every_poll_is_told() {
    let hits = hits_of(async {
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            if polls == 100 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    });
    assert_only(&hits, "self-wake");
}

#[test]
fn a_future_in_a_timeout_that_keeps_no_waker_is_told_and_one_that_does_is_not() {
    // On its second poll, if a wake of another future of the task makes one.
    let forgets = |at_poll: u32| async move {
        let mut polls = 0;
        let mut kept = None;
        let forgetful = poll_fn(|cx| {
            polls += 1;
            let forgets = polls >= at_poll;
            kept = (!forgets).then(|| cx.waker().clone());
            Poll::<()>::Pending
        });
        let beside = async {
            loop {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let limited = timeout(Duration::from_secs(3600), forgetful);
        let late = timeout(Duration::from_millis(20), zip(limited, beside)).await;
        assert!(late.is_err());
    };
    for at_poll in [1, 2] {
        let hits = hits_of(forgets(at_poll));
        assert_only(&hits, "timer-alone");
        assert!(hits[0].text.contains("tests/lints.rs:"), "{hits:#?}");
        let in_a_task = hits_of(async move {
            executor::spawn(forgets(at_poll)).await.expect("no panic");
        });
        assert_only(&in_a_task, "timer-alone");
    }
    assert_eq!(hits_of(forgets(u32::MAX)), []);
}

#[test]
fn futures_in_timeouts_that_somebody_wakes_are_not_told() {
    let patience = Duration::from_secs(3600);
    let hits = hits_of(async move {
        // Woken in its own poll; by a task; by a thread, perhaps before the poll is over.
        timeout(patience, executor::yield_now())
            .await
            .expect("in time");
        let task = executor::spawn(executor::yield_now());
        timeout(patience, task)
            .await
            .expect("in time")
            .expect("no panic");
        for _ in 0..100 {
            let mut asked = false;
            let by_thread = poll_fn(|cx| {
                if std::mem::replace(&mut asked, true) {
                    return Poll::Ready(());
                }
                let waker = cx.waker().clone();
                thread::spawn(move || waker.wake());
                Poll::Pending
            });
            timeout(patience, by_thread).await.expect("in time");
        }
        // One in another, and one whose waker stays in the key, from one timeout to the next.
        let (near, far) = UnixStream::pair().expect("a pair");
        let mut byte = [0];
        let mut read = pin!(far.read(&mut byte));
        for _ in 0..3 {
            let inner = timeout(Duration::from_millis(1), read.as_mut());
            assert!(timeout(patience, inner).await.expect("in time").is_err());
        }
        near.write_all(b"x").await.expect("there is room");
        assert_eq!(read.await.expect("it is there"), 1);
    });
    assert_eq!(hits, []);
}

#[test]
fn a_write_that_goes_on_from_one_timeout_to_the_next_is_not_cut() {
    let hits = hits_of(async {
        let (near, far) = UnixStream::pair().expect("a pair");
        let mut write = pin!(near.write_all(&[7; 1 << 20]));
        for _ in 0..3 {
            let written = timeout(Duration::from_millis(1), write.as_mut()).await;
            assert!(written.is_err());
        }
        let drained = async {
            let mut left = 1 << 20;
            while left != 0 {
                left -= far.read(&mut [0; 65_536]).await.expect("it is there");
            }
        };
        zip(write, drained).await.0.expect("it is read");
    });
    assert_eq!(hits, []);
}

/// A trace without events.
fn trace_of(trigger: &str) -> Trace {
    let header = format!(
        "{{\"trace\":\"reactor\",\"version\":1,\"backend\":\"epoll\",\"trigger\":\"{trigger}\"}}\n"
    );
    Trace::parse(&header).expect("a header")
}

/// A trace made by hand, for mistakes that the library does not let a program make.
fn made(steps: &[Step], times: usize) -> Vec<Hit> {
    made_with("edge", steps, times)
}

fn made_with(trigger: &str, steps: &[Step], times: usize) -> Vec<Hit> {
    let mut trace = trace_of(trigger);
    trace.lines = (0..)
        .zip(steps.iter().cycle().take(steps.len() * times).cloned())
        .map(|(t, step)| Line {
            t,
            step,
            ..Line::default()
        })
        .collect();
    lint::all(&trace)
}

fn ready(how: &str) -> Step {
    Step::SelectEnd {
        ready: vec![(3, how.into())],
    }
}

fn recv(result: &str, errno: Option<i32>) -> Step {
    Step::Syscall {
        fd: 3,
        call: "recv".into(),
        result: result.into(),
        n: None,
        errno,
        from: String::new(),
        took: None,
    }
}

#[test]
fn select_that_returns_for_a_key_that_nobody_handles_is_a_spin() {
    assert_only(&made(&[ready("H")], 20), "spin");
    let handled = [ready("W"), recv("ok", None)];
    assert_eq!(made(&handled, 20), []);
}

#[test]
fn a_waker_that_is_stored_after_the_report_came_is_too_late() {
    let store = Step::WakerStored {
        fd: 3,
        dir: "R".into(),
        crowded: false,
        from: String::new(),
    };
    assert_only(&made(&[ready("R"), store.clone()], 1), "stored-too-late");
    assert_eq!(made(&[ready("R"), recv("would_block", None), store], 1), []);
}

#[test]
fn a_call_on_a_closed_fd_is_told() {
    assert_only(&made(&[recv("error", Some(9))], 1), "closed-fd");
    assert_eq!(made(&[recv("error", Some(104))], 1), []);
}

#[test]
fn wakes_that_only_hear_would_block_are_told() {
    let turn = |result| {
        vec![
            Step::Wake {
                task: 1,
                by: "reactor".into(),
                coalesced: false,
            },
            Step::PollBegin { task: 1 },
            recv(result, None),
            Step::PollEnd {
                task: 1,
                ready: false,
            },
        ]
    };
    assert_only(&made(&turn("would_block"), 8), "wake-without-progress");
    assert_eq!(made(&turn("ok"), 8), []);
}

#[test]
fn a_future_that_never_ends_in_block_on_is_nobodys_mistake_here() {
    // The future of `block_on` has an uncounted waker; its other half keeps this one going.
    let hits = hits_of(async {
        let ended = executor::time::timeout(Duration::from_millis(1), pending::<()>()).await;
        assert!(ended.is_err());
    });
    assert_eq!(hits, []);
}

/// Task 1 stores its waker in the key of fd 3, for reading, and sleeps.
fn waits_for_reading() -> Vec<Step> {
    vec![
        Step::PollBegin { task: 1 },
        Step::WakerStored {
            fd: 3,
            dir: "R".into(),
            crowded: false,
            from: String::new(),
        },
        Step::PollEnd {
            task: 1,
            ready: false,
        },
    ]
}

fn sleeps(timeout: Option<u64>) -> Step {
    Step::SelectBegin {
        timeout,
        keys: 1,
        room: None,
    }
}

#[test]
fn a_task_whose_key_is_ready_and_whom_nobody_wakes_is_told() {
    let report = [sleeps(None), ready("R")];
    let forgotten = [&waits_for_reading()[..], &report, &[sleeps(None)]].concat();
    assert_only(&made(&forgotten, 1), "ready-but-asleep");
    let wake = Step::Wake {
        task: 1,
        by: "reactor".into(),
        coalesced: false,
    };
    let woken = [&waits_for_reading()[..], &report, &[wake, sleeps(None)]].concat();
    assert_eq!(made(&woken, 1), []);
    // What is reported is room for writing, and nobody waits for that.
    let other = [&waits_for_reading()[..], &[ready("W"), sleeps(None)]].concat();
    assert_eq!(made(&other, 1), []);
    // Polled in between, it may have dropped what waited: nobody owes it a wake.
    let polled = [
        &waits_for_reading()[..],
        &[
            Step::PollBegin { task: 1 },
            Step::PollEnd {
                task: 1,
                ready: false,
            },
        ],
        &report,
        &[sleeps(None)],
    ]
    .concat();
    assert_eq!(made(&polled, 1), []);
}

#[test]
fn a_sleep_over_a_key_in_which_nobody_waits_is_told() {
    let register = |events: &str| Step::Register {
        fd: 3,
        events: events.into(),
    };
    let waits = waits_for_reading();
    let wide = [&waits[..], &[register("RW"), sleeps(None)]].concat();
    let hits = made_with("level", &wide, 1);
    assert_only(&hits, "key-without-waiter");
    assert!(hits[0].text.contains("watched for W"), "{hits:#?}");
    // With edges, a key is watched for both from the beginning.
    assert_eq!(made_with("edge", &wide, 1), []);
    // A look is no sleep.
    let looks = [&waits[..], &[register("RW"), sleeps(Some(0))]].concat();
    assert_eq!(made_with("level", &looks, 1), []);
    let sound = [&waits[..], &[register("R"), sleeps(None)]].concat();
    assert_eq!(made_with("level", &sound, 1), []);
    // Its waiter is over and the key is still watched: until it is reported, that costs nobody anything.
    let over = [&sound[..], &[Step::Done { task: 1 }, sleeps(None)]].concat();
    assert_eq!(made_with("level", &over, 1), []);
    let ready = vec![(3, "R".into())];
    let left = [&over[..], &[Step::SelectEnd { ready }, sleeps(None)]].concat();
    assert_only(&made_with("level", &left, 1), "key-without-waiter");
    // Nobody stores wakers in a program of callbacks.
    assert_eq!(
        made_with("level", &[register("R"), sleeps(None)], 1),
        [],
        "callbacks"
    );
}

#[test]
fn a_number_that_is_given_out_while_it_is_watched_is_told() {
    let line = |raw, step| Line {
        raw,
        step,
        ..Line::default()
    };
    let register = Step::Register {
        fd: 0,
        events: "R".into(),
    };
    let accept = Step::Syscall {
        fd: 1,
        call: "accept".into(),
        result: "ok".into(),
        n: Some(7),
        errno: None,
        from: String::new(),
        took: None,
    };
    let mut trace = trace_of("level");
    trace.lines = vec![line(Some(7), register), line(Some(3), accept.clone())];
    assert_only(&lint::all(&trace), "closed-fd");
    let forgotten = line(None, Step::Unregister { fd: 0 });
    trace.lines = vec![trace.lines[0].clone(), forgotten, line(Some(3), accept)];
    assert_eq!(lint::all(&trace), []);
}

#[test]
fn a_sleep_until_now_again_and_again_is_told_and_one_that_sleeps_is_not() {
    let again = |pause: Duration, times| async move {
        for _ in 0..times {
            sleep(pause).await;
        }
    };
    assert_only(&hits_of(again(Duration::ZERO, 1_000)), "zero-sleep");
    assert_eq!(hits_of(again(Duration::from_millis(1), 20)), []);
}

#[test]
fn a_task_that_has_used_its_budget_up_does_not_wake_itself() {
    let hits = hits_of(async {
        let (near, far) = UnixStream::pair().expect("a pair");
        near.write_all(&[7; 20_000]).await.expect("there is room");
        for _ in 0..20_000 {
            far.read(&mut [0]).await.expect("it is there");
        }
    });
    assert_eq!(hits, []);
}

#[test]
fn a_connection_that_nobody_uses_is_told_and_one_that_is_read_is_not() {
    let served = |reads: bool| async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("bound");
        let client = TcpStream::connect(address).await.expect("it listens");
        client.write_all(b"hello").await.expect("there is room");
        let (server, _) = listener.accept().await.expect("it is there");
        if reads {
            server.read(&mut [0; 8]).await.expect("it is there");
        }
        sleep(Duration::from_millis(1)).await;
    };
    assert_only(&hits_of(served(false)), "never-used");
    assert_eq!(hits_of(served(true)), []);
}

#[test]
fn a_write_that_is_given_up_in_the_middle_is_told_when_the_next_one_begins() {
    let written = |peer_reads: bool| async move {
        let (near, far) = UnixStream::pair().expect("a pair");
        let far = Rc::new(far);
        let reader = Rc::clone(&far);
        if peer_reads {
            let reads =
                async move { while reader.read(&mut [0; 65_536]).await.is_ok_and(|n| n > 0) {} };
            executor::spawn(reads).detach();
        }
        let patience = Duration::from_millis(if peer_reads { 60_000 } else { 5 });
        for _ in 0..2 {
            // The peer gets a part of the first, and then a part of the second.
            let written = timeout(patience, near.write_all(&[7; 1 << 20])).await;
            assert_eq!(written.is_ok(), peer_reads);
        }
    };
    assert_only(&hits_of(written(false)), "cut-write");
    assert_eq!(hits_of(written(true)), []);
}

#[test]
fn a_read_exact_that_is_given_up_in_the_middle_is_told_and_a_read_is_not() {
    let read = |exact: bool| async move {
        let (near, far) = UnixStream::pair().expect("a pair");
        near.write_all(b"abc").await.expect("there is room");
        let mut message = [0; 8];
        for _ in 0..3 {
            let patience = Duration::from_millis(2);
            if exact {
                let late = timeout(patience, far.read_exact(&mut message)).await;
                assert!(late.is_err());
            } else {
                let _late = timeout(patience, far.read(&mut message)).await;
            }
        }
    };
    assert_only(&hits_of(read(true)), "cut-read");
    assert_eq!(hits_of(read(false)), []);
}

#[test]
fn a_waker_that_is_overwritten_loses_its_task_and_two_places_do_not() {
    let waiting = |places: usize| async move {
        let slots: Vec<Rc<RefCell<Option<Waker>>>> = (0..places).map(|_| Rc::default()).collect();
        for number in 0..2 {
            let slot = Rc::clone(&slots[number % places]);
            executor::spawn(poll_fn(move |cx| {
                slot.replace(Some(cx.waker().clone()));
                Poll::<()>::Pending
            }))
            .detach();
        }
        sleep(Duration::from_millis(1)).await;
        drop(slots);
    };
    assert_only(&hits_of(waiting(1)), "lost-task");
    assert_eq!(hits_of(waiting(2)), []);
}

#[test]
fn tasks_that_wait_for_each_other_are_told() {
    let poll = |task| {
        let (ready, begin) = (false, Step::PollBegin { task });
        [begin, Step::PollEnd { task, ready }]
    };
    let both = [poll(0), poll(1)].concat();
    let end = [sleeps(None)];
    assert_only(&made(&[&both[..], &end].concat(), 1), "deadlock");
    // A thread has woken somebody before: it may do so again.
    let by_thread = Step::Wake {
        task: 0,
        by: "thread".into(),
        coalesced: false,
    };
    let woken = [&[by_thread][..], &both, &end].concat();
    assert_eq!(made(&woken, 1), []);
    // One of them waits for the world.
    let reads = [&poll(0)[..], &waits_for_reading(), &end].concat();
    assert_eq!(made(&reads, 1), []);
    let timed = [&both[..], &[sleeps(Some(1_000))]].concat();
    assert_eq!(made(&timed, 1), []);
}

#[test]
fn what_only_strace_tells_is_told() {
    let read = |result: &str, n, took| Step::Syscall {
        fd: 3,
        call: "read".into(),
        result: result.into(),
        n,
        errno: None,
        from: String::new(),
        took,
    };
    let wait = |room| Step::SelectBegin {
        timeout: None,
        keys: 9,
        room: Some(room),
    };
    let looped = |took| {
        let call = read("ok", Some(1), Some(took));
        [wait(64), ready("R"), call.clone(), call]
    };
    let hits = made(&looped(50_000_000), 2);
    assert_only(&hits, "blocking-call");
    assert_eq!(hits[0].event, 3, "the call and not the wait after it");
    assert_eq!(made(&looped(50_000), 2), []);
    // Nobody waits yet when a program starts, and nobody any more when it ends.
    let start = read("ok", Some(1), Some(50_000_000));
    assert_eq!(made(&[start, wait(64), ready("R")], 1), []);
    assert_eq!(made(&looped(50_000_000), 1), []);

    let turn = |room| [wait(room), ready("R"), read("ok", Some(1), None)];
    assert_only(&made(&turn(1), 40), "one-event");
    assert_eq!(made(&turn(64), 40), []);

    let again = [&turn(64)[..], &[read("would_block", None, None)]].concat();
    assert_only(&made_with("level", &again, 20), "read-again");
    assert_eq!(made_with("edge", &again, 20), []);
    assert_eq!(made_with("level", &turn(64), 20), []);
}
