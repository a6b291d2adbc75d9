//! The ladder, traced: each step shows the stations that it has come to, and none that it has not;
//! and no lint finds anything.

mod program;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use program::{Program, command};
use trace::{Step, Trace, lint};

/// Longer than any step needs, even on a busy machine.
const GUARD: Duration = Duration::from_secs(60);

fn exchange(address: SocketAddr, word: &[u8]) {
    let mut stream = TcpStream::connect(address).expect("the step listens");
    stream.write_all(word).expect("the step reads");
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).expect("the step answers");
    assert_eq!(answer, word);
}

/// Runs a step with one client after another until `enough` of it is in the trace: a step that is
/// slow may find its first clients there before it has ever slept. It writes when it goes to sleep.
fn record(step: &str, enough: impl Fn(&Trace) -> bool) -> Trace {
    let file = env::temp_dir().join(format!("{step}-{}.trace", std::process::id()));
    let mut command = command(step, "127.0.0.1:0");
    command.env("REACTOR_TRACE", &file);
    let (_program, address) = Program::listening(command);
    let deadline = Instant::now() + GUARD;
    loop {
        exchange(address, b"hello");
        exchange(address, b"again");
        let text = fs::read_to_string(&file).unwrap_or_default();
        match Trace::parse(&text) {
            Ok(trace) if enough(&trace) || Instant::now() > deadline => {
                fs::remove_file(file).expect("ours");
                return trace;
            }
            _ => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// The stations that appear in a trace, in words.
fn stations(trace: &Trace) -> Vec<&'static str> {
    let all = [
        "syscall", "select", "key", "waker", "poll", "tasks", "timer", "notify",
    ];
    let station = |line: &trace::Line| match line.step {
        Step::Syscall { .. } => "syscall",
        Step::SelectEnd { .. } => "select",
        Step::Register { .. } => "key",
        Step::WakerStored { .. } => "waker",
        Step::PollBegin { .. } => "poll",
        Step::Spawn { .. } => "tasks",
        Step::TimerSet { .. } => "timer",
        Step::Notify => "notify",
        _ => "",
    };
    let seen = all
        .into_iter()
        .filter(|name| trace.lines.iter().any(|line| station(line) == *name));
    seen.collect()
}

#[track_caller]
fn shows(step: &str, expected: &[&str]) {
    let trace = record(step, |trace| stations(trace) == expected);
    assert_eq!(stations(&trace), expected);
    // A poll may be long on a busy machine; no other finding has an excuse.
    let hits = lint::all(&trace).into_iter();
    let hits: Vec<_> = hits.filter(|hit| hit.lint != "long-poll").collect();
    assert_eq!(hits, []);
}

#[test]
fn s03_is_a_wall_of_would_block() {
    let trace = record("s03_spin", |trace| trace.lines.len() > 10_000);
    assert_eq!(stations(&trace), ["syscall"]);
    let would_block = |line: &&trace::Line| matches!(&line.step, Step::Syscall { result, .. } if result == "would_block");
    let wasted = trace.lines.iter().filter(would_block).count();
    assert!(wasted * 10 > trace.lines.len() * 9, "{wasted}");
}

#[test]
fn s04_asks_the_kernel() {
    shows("s04_select", &["syscall", "select"]);
}

#[test]
fn s05_and_s06_have_keys() {
    shows("s05_callbacks", &["syscall", "select", "key"]);
    shows("s06_backends", &["syscall", "select", "key"]);
}

#[test]
fn s07_has_a_waker_and_a_poll() {
    shows("s07_waker", &["syscall", "select", "key", "waker", "poll"]);
}

#[test]
fn s08_and_s09_have_tasks() {
    let expected = ["syscall", "select", "key", "waker", "poll", "tasks"];
    shows("s08_queue", &expected);
    shows("s09_await", &expected);
}

#[test]
fn s10_has_timers_and_other_threads() {
    let all = [
        "syscall", "select", "key", "waker", "poll", "tasks", "timer", "notify",
    ];
    shows("s10_time", &all);
    shows("s11_cancel", &all);
}

#[test]
fn s12_shows_what_the_library_does_by_itself() {
    let expected = [
        "syscall", "select", "key", "waker", "poll", "tasks", "timer",
    ];
    shows("s12_crates", &expected);
}
