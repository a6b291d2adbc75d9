//! What the recorder writes: a golden trace, and what every trace has.

mod support;

use std::path::Path;
use std::time::Duration;

use executor::net::UnixStream;
use executor::time::timeout;
use futures_lite::future::zip;
use selectors_core::Backend;
use support::record;
#[cfg(target_os = "linux")]
use trace::golden::assert_golden;
use trace::golden::timeless;
use trace::{Step, Trace, chrome, hang, html, lint};

/// The trace of `future`, read.
fn recorded<F: Future>(backend: Backend, future: F) -> Trace {
    Trace::parse(&record(backend, future)).expect("our own trace is understood")
}

/// Two ends of a socket on one thread: the same steps in every run.
async fn ping_pong() {
    let (near, far) = UnixStream::pair().expect("a pair");
    let echo = executor::spawn(async move {
        let mut buffer = [0; 16];
        loop {
            match far.read(&mut buffer).await.expect("the near end is there") {
                0 => break,
                length => far.write_all(&buffer[..length]).await.expect("it reads"),
            }
        }
    });
    for word in ["hello", "again"] {
        near.write_all(word.as_bytes())
            .await
            .expect("the far end reads");
        let mut answer = [0; 5];
        near.read_exact(&mut answer)
            .await
            .expect("the far end answers");
        assert_eq!(answer, word.as_bytes());
    }
    drop(near);
    echo.await.expect("it does not panic");
}

#[cfg(target_os = "linux")]
#[test]
fn a_trace_on_each_backend_is_the_golden_one() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    for backend in [Backend::Select, Backend::Poll, Backend::Epoll] {
        let text = record(backend, ping_pong());
        let name = format!("ping_pong.{}.trace", backend.name());
        assert_golden(&text, &golden.join(name));
    }
}

/// What the kernels of the world say at the end of a stream differs; the steps do not.
#[test]
fn select_and_poll_differ_only_in_what_they_know_of_a_hang_up() {
    let steps = |backend| {
        let text = timeless(&record(backend, ping_pong()));
        let (_, steps) = text.split_once('\n').expect("a header");
        steps.replace("RCH", "R").replace("RH", "R")
    };
    assert_eq!(steps(Backend::Select), steps(Backend::Poll));
}

#[test]
fn the_header_says_what_recording_costs() {
    let trace = recorded(Backend::Poll, async {});
    assert!(trace.header.overhead.record_ns > 0);
    assert!(trace.header.overhead.write_ns > 0);
    assert_eq!(
        (trace.header.backend.as_str(), trace.header.trigger.as_str()),
        ("poll", "level")
    );
}

#[test]
fn bytes_are_counted_and_the_first_sight_of_an_fd_has_its_real_number() {
    let text = record(Backend::Poll, ping_pong());
    let trace = Trace::parse(&text).expect("our own trace is understood");
    let five = |wanted: &str| {
        trace.lines.iter().any(
            |line| matches!(&line.step, Step::Syscall { call, n: Some(5), .. } if call == wanted),
        )
    };
    assert!(five("recv"), "{text}");
    assert_eq!(text.matches("\"raw\":").count(), 2, "{text}");
}

#[test]
fn times_never_run_backwards_and_every_poll_ends() {
    let trace = recorded(Backend::Poll, async {
        ping_pong().await;
        executor::time::sleep(Duration::from_millis(2)).await;
    });
    let events: Vec<_> = trace
        .lines
        .iter()
        .filter(|line| !matches!(line.step, Step::Recorder { .. }))
        .collect();
    assert!(events.windows(2).all(|pair| pair[0].t <= pair[1].t));
    let count = |wanted: fn(&Step) -> bool| {
        let found = events.iter().filter(|line| wanted(&line.step));
        found.count()
    };
    let begins = count(|step| matches!(step, Step::PollBegin { .. }));
    assert!(begins > 3);
    assert_eq!(begins, count(|step| matches!(step, Step::PollEnd { .. })));
    assert_eq!(count(|step| matches!(step, Step::TimerFired { .. })), 1);
}

#[test]
fn a_sound_program_has_no_lint_hits() {
    for backend in Backend::available() {
        let trace = recorded(*backend, ping_pong());
        assert_eq!(lint::all(&trace), [], "{backend}");
    }
}

#[test]
fn the_page_is_one_file_that_asks_for_no_other() {
    let text = record(Backend::Poll, ping_pong());
    let page = html::page(&[("</script>".into(), text)], Path::new("..")).expect("a trace");
    for outside in ["http:", "https:", "src=", "href=", "@import", "fetch("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(
        page.matches("</script>").count(),
        2,
        "data cannot end the script"
    );
    let viewer = include_str!("../src/viewer.html");
    assert!(viewer.lines().count() <= 650);
}

/// The events of the export for Perfetto, those of one phase.
fn exported(trace: &Trace, phase: &str) -> Vec<serde_json::Value> {
    let export: serde_json::Value =
        serde_json::from_str(&chrome::export(trace)).expect("it is JSON");
    let events = export["traceEvents"].as_array().expect("a list");
    let wanted = events.iter().filter(|event| event["ph"] == phase);
    wanted.cloned().collect()
}

#[test]
fn the_export_for_perfetto_pairs_every_bar() {
    let mut trace = recorded(Backend::Poll, ping_pong());
    assert!(exported(&trace, "B").len() > 3);
    assert_eq!(exported(&trace, "B").len(), exported(&trace, "E").len());
    // Wherever the trace is cut off.
    while !trace.lines.is_empty() {
        trace.lines.pop();
        assert_eq!(exported(&trace, "B").len(), exported(&trace, "E").len());
    }
}

#[test]
fn the_export_for_perfetto_has_an_arrow_from_each_wake_to_its_poll() {
    let trace = recorded(Backend::Poll, ping_pong());
    let wakes = |line: &&trace::Line| {
        matches!(
            line.step,
            Step::Wake {
                coalesced: false,
                ..
            }
        )
    };
    let wakes = trace.lines.iter().filter(wakes).count();
    let (begins, ends) = (exported(&trace, "s"), exported(&trace, "f"));
    assert!(wakes > 3);
    assert_eq!((begins.len(), ends.len()), (wakes, wakes));
    for (begin, end) in begins.iter().zip(&ends) {
        assert_eq!(begin["id"], end["id"]);
        assert!(begin["ts"].as_f64() <= end["ts"].as_f64());
    }
}

#[test]
fn the_export_for_perfetto_counts_the_queue_down_again() {
    let counts = exported(&recorded(Backend::Poll, ping_pong()), "C");
    let depth = |event: &serde_json::Value| event["args"]["tasks"].as_u64();
    assert!(counts.iter().any(|event| depth(event) == Some(1)));
    assert_eq!(counts.last().and_then(depth), Some(0));
}

#[test]
fn a_line_that_is_cut_off_at_the_end_is_passed_over_and_any_other_is_named() {
    let text = record(Backend::Poll, async {});
    let whole = Trace::parse(&text).expect("whole").lines.len();
    let cut = &text[..text.len() - 3];
    assert_eq!(Trace::parse(cut).expect("killed").lines.len(), whole - 1);
    let bad = format!("{}\n{{\"t\":1}}\n", text.lines().next().expect("a header"));
    let error = Trace::parse(&bad).expect_err("no event");
    assert!(error.to_string().starts_with("line 2: "), "{error}");
}

/// The text of a line of the sources, such as `reactor/src/lib.rs:3`, and of the next two, where an
/// act goes on that is long.
fn source_line(place: &str) -> String {
    let (file, line) = place.rsplit_once(':').expect("file and line");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join(file));
    let text = text.unwrap_or_else(|error| panic!("{place}: {error}"));
    let line: usize = line.parse().expect("a number");
    let lines: Vec<&str> = text.lines().skip(line - 1).take(3).map(str::trim).collect();
    lines.join(" ")
}

#[test]
fn each_event_shows_the_line_that_did_it_and_not_the_one_that_reports_it() {
    for (backend, wait) in [
        (Backend::Poll, "syscall!(poll("),
        (Backend::Select, "syscall!(select("),
    ] {
        let trace = recorded(backend, async {
            ping_pong().await;
            executor::time::sleep(Duration::from_millis(1)).await;
        });
        let mut seen = 0;
        for line in &trace.lines {
            let wanted = match &line.step {
                Step::Recorder { .. } => continue,
                Step::Syscall { call, .. } => &format!("transfer!({call}, "),
                Step::SelectBegin { .. } | Step::SelectEnd { .. } => wait,
                Step::Enqueue { .. } => "self.queue.push(",
                Step::WakerStored { .. } => "self.waker.replace(",
                Step::PollBegin { task: 0 } | Step::PollEnd { task: 0, .. } => "poll_root()",
                Step::PollBegin { .. } | Step::PollEnd { .. } => "future.poll(cx)",
                Step::TimerSet { .. } => "timers.insert(",
                Step::TimerFired { .. } => "woken.push(",
                Step::Register { .. } => "register(&mut selector, ",
                Step::Modify { .. } => "selector.",
                Step::Unregister { .. } => "unregister(",
                Step::Spawn { .. } => ".new_task(",
                Step::Wake { .. } => "self.schedule(",
                Step::Done { .. } => ".remove(slot)",
                other => panic!("{other:?}"),
            };
            let found = source_line(&line.at);
            assert!(
                found.contains("act!(") && found.contains(wanted),
                "{line:?}: {found}"
            );
            seen += 1;
        }
        assert!(seen > 30, "{seen}");
    }
}

#[test]
fn reads_writes_and_sleeps_name_the_line_that_awaits_them_and_a_task_has_its_name() {
    let first = line!();
    let trace = recorded(Backend::Poll, async move {
        let (near, far) = UnixStream::pair().expect("a pair");
        let task = executor::spawn_named("say \"hello\"", async move {
            executor::time::sleep(Duration::from_millis(1)).await;
            far.write_all(b"hello").await.expect("it reads");
            let mut rest = [0; 4];
            far.read_exact(&mut rest).await.expect("it writes");
        });
        let mut buffer = [0; 16];
        let read = executor::time::timeout(Duration::from_secs(60), near.read(&mut buffer)).await;
        read.expect("in time").expect("it writes");
        near.write(b"four").await.expect("it reads");
        task.await.expect("it does not panic");
    });
    let awaits = |of: fn(&Step) -> bool| -> Vec<u32> {
        let lines = trace.lines.iter().filter(|line| of(&line.step));
        let mut lines: Vec<u32> = lines
            .map(|line| {
                let (file, number) = line.step.from().rsplit_once(':').expect("a place");
                assert!(file.ends_with("tests/recorded.rs"), "{line:?}");
                number.parse::<u32>().expect("a number") - first
            })
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    };
    assert_eq!(awaits(|step| matches!(step, Step::Spawn { .. })), [3]);
    // The sleep, and the timeout.
    assert_eq!(
        awaits(|step| matches!(step, Step::TimerSet { .. })),
        [4, 10]
    );
    assert_eq!(
        awaits(|step| matches!(step, Step::Syscall { call, .. } if call == "send")),
        [5, 12]
    );
    assert_eq!(
        awaits(|step| matches!(step, Step::Syscall { call, .. } if call == "recv")),
        [7, 10]
    );
    assert_eq!(
        awaits(|step| matches!(step, Step::WakerStored { .. })),
        [7, 10]
    );
    let named = trace.lines.iter().find_map(|line| match &line.step {
        Step::Named { task, name } => Some((*task, name.as_str())),
        _ => None,
    });
    assert_eq!(named, Some((1, "say \"hello\"")));
}

/// A vtable has no line, and a combinator one of its own: what counts is where an await was made.
#[test]
fn what_is_awaited_in_a_box_or_a_combinator_names_the_line_that_made_it() {
    type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + 'a>>;
    let first = line!();
    let trace = recorded(Backend::Poll, async {
        let (near, far) = UnixStream::pair().expect("a pair");
        let (read_half, write_half) = near.into_split();
        let mut bytes = ([0; 8], [0; 4]);
        let read: Boxed<'_, _> = Box::pin(read_half.read(&mut bytes.0));
        let exact: Boxed<'_, _> = Box::pin(far.read_exact(&mut bytes.1));
        let nap: Boxed<'_, ()> = Box::pin(executor::time::sleep(Duration::from_millis(1)));
        let late: Boxed<'_, _> = Box::pin(timeout(
            Duration::from_secs(60),
            write_half.write_all(b"four"),
        ));
        let ((), late) = zip(nap, late).await;
        late.expect("in time").expect("it reads");
        let answer = async { far.write(b"ok").await };
        let (exact, (read, wrote)) = zip(exact, zip(read, answer)).await;
        exact.expect("four");
        assert_eq!((read.expect("two"), wrote.expect("two")), (2, 2));
    });
    let mut seen: Vec<(&str, u32)> = Vec::new();
    for line in &trace.lines {
        let what = match &line.step {
            Step::Syscall { call, .. } => call.as_str(),
            Step::WakerStored { .. } => "waker",
            Step::TimerSet { .. } => "timer",
            _ => continue,
        };
        let (file, number) = line.step.from().rsplit_once(':').expect("a place");
        assert!(file.ends_with("tests/recorded.rs"), "{line:?}");
        seen.push((what, number.parse::<u32>().expect("a number") - first));
    }
    seen.sort_unstable();
    seen.dedup();
    // The write does not wait, so its timer is never set.
    assert_eq!(
        seen,
        [
            ("recv", 5),
            ("recv", 6),
            ("send", 10),
            ("send", 14),
            ("timer", 7),
            ("waker", 5)
        ]
    );
}

#[test]
fn who_sleeps_when_a_trace_ends_is_told_with_the_line_and_where_its_waker_is() {
    let first = line!();
    let mut trace = recorded(Backend::Poll, async {
        let (near, far) = UnixStream::pair().expect("a pair");
        executor::spawn_named("reader", async move { far.read(&mut [0; 8]).await }).detach();
        executor::spawn(std::future::pending::<()>()).detach();
        let kept = std::cell::Cell::new(None);
        executor::spawn(std::future::poll_fn(move |cx| {
            kept.set(Some(cx.waker().clone()));
            std::task::Poll::<()>::Pending
        }))
        .detach();
        executor::time::sleep(Duration::from_millis(2)).await;
        drop(near);
    });
    // As if it had been killed in its first sleep.
    let asleep = |line: &trace::Line| matches!(line.step, Step::SelectBegin { timeout, .. } if timeout != Some(0));
    let end = trace.lines.iter().position(asleep).expect("it sleeps");
    trace.lines.truncate(end + 1);
    let told: Vec<String> = hang::asleep(&trace)
        .iter()
        .map(ToString::to_string)
        .collect();
    let place = |line| format!("recorded.rs:{}", first + line);
    let wanted = [
        vec![
            "task 0 (of block_on)".into(),
            "timer 0, which is not due".into(),
            place(11),
        ],
        vec![
            "task 1 \"reader\"".into(),
            place(3),
            "key of fd 0, which is not readable".into(),
        ],
        vec![
            "task 2".into(),
            place(4),
            "nowhere: nobody can ever wake it".into(),
        ],
        vec!["task 3".into(), place(6), "in no key and no timer".into()],
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (told, wanted) in told.iter().zip(&wanted) {
        for words in wanted {
            assert!(told.contains(words), "{words:?} is not in: {told}");
        }
    }
    // One that comes to its end leaves nobody asleep.
    assert_eq!(hang::asleep(&recorded(Backend::Poll, ping_pong())), []);
}
