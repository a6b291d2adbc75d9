//! The ladder's golden traces: every step does today, event by event, what its trace in `traces/`
//! says. `UPDATE=1` rewrites them.
//!
//! The clients move only when the step has settled over what they did before, so that there is one
//! thing at a time to find. A machine that is busy at the wrong moment can still put two together:
//! then the exchange is repeated.
#![cfg(target_os = "linux")]

mod program;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, mem, thread};

use program::{GUARD, Program, command};
use trace::golden::{difference, timeless};
use trace::{Trace, lint};

/// Exchanges before a step is said to differ.
const ATTEMPTS: u32 = 8;
/// Lines of WouldBlock in a row that are kept.
const WALL: usize = 12;
/// A trace that has not grown for so long belongs to a step that sleeps.
const SETTLED: Duration = Duration::from_millis(25);

/// A step that is being recorded.
struct Recorded {
    program: Program,
    address: SocketAddr,
    path: PathBuf,
    file: File,
    /// What was read of the trace, its walls cut.
    lines: Walls,
    /// The beginning of a line whose end is not yet written.
    rest: Vec<u8>,
}

impl Recorded {
    fn start(step: &str, argument: &str) -> Self {
        let name = format!("golden-{step}-{argument}-{}.trace", std::process::id());
        let path = env::temp_dir().join(name);
        let mut command = command(step, &format!("127.0.0.1:0 {argument}"));
        command.env("REACTOR_TRACE", &path);
        let (program, address) = Program::listening(command);
        Recorded {
            program,
            address,
            // It is made before the step says that it listens.
            file: File::open(&path).expect("the step writes it"),
            path,
            lines: Walls::default(),
            rest: Vec::new(),
        }
    }

    /// Reads what was written since the last time; says whether that was anything.
    fn read(&mut self) -> bool {
        let before = self.rest.len();
        self.file.read_to_end(&mut self.rest).expect("it is a file");
        let grown = self.rest.len() > before;
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n');
        let rest = self.rest.split_off(whole.map_or(0, |end| end + 1));
        let text = mem::replace(&mut self.rest, rest);
        let text = String::from_utf8(text).expect("a trace is text");
        text.lines().for_each(|line| self.lines.add(line));
        grown
    }

    /// Waits until the trace has what is wanted, and does not grow any more.
    #[track_caller]
    fn settle(&mut self, spins: bool, enough: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + GUARD;
        loop {
            self.read();
            if enough(&self.lines.kept) {
                thread::sleep(SETTLED);
                if spins || !self.read() {
                    return;
                }
            }
            assert!(Instant::now() < deadline, "{:#?}", self.lines.kept);
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Everything but what differs from one run to the next. There is nothing suspicious in it.
    fn end(mut self) -> String {
        drop(self.program);
        fs::remove_file(&self.path).expect("ours");
        self.lines.kept.push(String::new());
        let text = self.lines.kept.join("\n");
        let hits = lint::all(&Trace::parse(&text).expect("a trace")).into_iter();
        // On a busy machine a poll may be long; no other finding has an excuse.
        let hits: Vec<_> = hits.filter(|hit| hit.lint != "long-poll").collect();
        assert_eq!(hits, []);
        timeless(&text)
    }
}

/// The lines of a trace; of a run of lines that say WouldBlock, the first ones only.
#[derive(Default)]
struct Walls {
    kept: Vec<String>,
    run: usize,
}

impl Walls {
    fn add(&mut self, line: &str) {
        // The recorder's own work is no step.
        if line.contains("\"e\":\"recorder\"") {
            return;
        }
        let waits = line.contains("\"result\":\"would_block\"");
        self.run = if waits { self.run + 1 } else { 0 };
        if self.run <= WALL {
            self.kept.push(line.to_owned());
        }
    }
}

fn exchange(stream: &mut TcpStream, word: &[u8]) {
    stream.write_all(word).expect("the step reads");
    let mut answer = vec![0; word.len()];
    stream.read_exact(&mut answer).expect("the step answers");
    assert_eq!(answer, word);
}

/// How many calls of this name succeeded, with this number as the answer, if one is given.
fn calls(lines: &[String], call: &str, answer: Option<u64>) -> usize {
    let call = format!("\"call\":\"{call}\",\"result\":\"ok\",\"n\":");
    let answered = lines.iter().filter_map(|line| {
        let (_, number) = line.split_once(&call)?;
        number.split([',', '}']).next()?.parse::<u64>().ok()
    });
    answered
        .filter(|number| answer.is_none_or(|answer| *number == answer))
        .count()
}

/// Two clients, and one thing at a time.
fn record(step: &str, argument: &str) -> String {
    let spins = step.starts_with("s03");
    let one_by_one = step.starts_with("s07");
    let mut recorded = Recorded::start(step, argument);
    // These two ask the kernel, or wait in accept, before they have anything to tell.
    let silent = one_by_one || step.starts_with("s04");
    recorded.settle(spins, |lines| silent || lines.len() > 1);
    let mut clients = Vec::new();
    for (number, word) in [(1, b"hello"), (2, b"again")] {
        let mut client = TcpStream::connect(recorded.address).expect("the step listens");
        recorded.settle(spins, |lines| calls(lines, "accept", None) == number);
        exchange(&mut client, word);
        recorded.settle(spins, |lines| calls(lines, "recv", Some(5)) == number);
        if !one_by_one {
            clients.push(client);
        }
    }
    for (gone, client) in (1..).zip(clients) {
        drop(client);
        recorded.settle(spins, |lines| calls(lines, "recv", Some(0)) == gone);
    }
    recorded.end()
}

#[track_caller]
fn golden(step: &str, argument: &str) {
    let name = match argument {
        "" => format!("{step}.trace"),
        _ => format!("{step}.{argument}.trace"),
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let file = folder.join(name);
    let mut last = None;
    for _ in 0..ATTEMPTS {
        last = difference(&record(step, argument), &file);
        if last.is_none() {
            return;
        }
    }
    panic!("{}", last.unwrap_or_default());
}

macro_rules! golden {
    ($($test:ident: $step:literal $argument:literal,)+) => {
        $(#[test] fn $test() { golden($step, $argument); })+
    };
}

golden! {
    s03: "s03_spin" "",
    s04: "s04_select" "",
    s05: "s05_callbacks" "",
    s06_on_select: "s06_backends" "select",
    s06_on_poll: "s06_backends" "poll",
    s06_on_epoll: "s06_backends" "epoll",
    s07: "s07_waker" "",
    s08: "s08_queue" "",
    s09: "s09_await" "",
    s10: "s10_time" "",
    s11: "s11_cancel" "",
    s12: "s12_crates" "",
}

/// The steps are the same on every backend; what is reported at the end of a stream is not.
#[test]
fn the_backends_of_s06_do_the_same_steps() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces");
    let steps = |backend: &str| {
        let file = folder.join(format!("s06_backends.{backend}.trace"));
        let text = fs::read_to_string(file).expect("it is here");
        let (_, steps) = text.split_once('\n').expect("a header");
        steps.replace("RCH", "R").replace("RC", "R")
    };
    assert_eq!(steps("select"), steps("poll"));
    assert_eq!(steps("poll"), steps("epoll"));
}

#[test]
fn a_wall_is_cut_and_nothing_else_is() {
    let waits = "\"result\":\"would_block\"";
    let mut walls = Walls::default();
    let all = [&["accept"][..], &[waits; WALL + 5], &["recv", waits]].concat();
    all.into_iter().for_each(|line| walls.add(line));
    let kept = [&["accept"][..], &[waits; WALL], &["recv", waits]].concat();
    assert_eq!(walls.kept, kept);
}
