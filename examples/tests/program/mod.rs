//! An example program, run by a test as its user would run it.

#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test file uses its own part of this"
)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// No test waits longer for anything: a guard against hanging, not a measure of speed.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

/// Instantiates tests once for each backend: `fn echoes(backend: &str)` becomes three tests.
macro_rules! on_each_backend {
    ($($test:ident),+ $(,)?) => {
        mod select { $(#[test] fn $test() { super::$test("select"); })+ }
        mod poll { $(#[test] fn $test() { super::$test("poll"); })+ }
        #[cfg(target_os = "linux")]
        mod epoll { $(#[test] fn $test() { super::$test("epoll"); })+ }
    };
}
pub(crate) use on_each_backend;

/// The executable of an example. `cargo test` builds it; `cargo test --test demo` alone does not,
/// and a test of yesterday's program would say nothing about today's.
pub(crate) fn executable(name: &str) -> PathBuf {
    let mut path = env::current_exe().expect("the test knows where it is");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.extend(["examples", name]);
    let built = modified(&path);
    // What it is built from: the library of the examples, and one of these.
    let own = [
        name.to_owned(),
        format!("{name}.rs"),
        format!("steps/{name}.rs"),
        format!("museum/{name}.rs"),
        format!("programs/{name}.rs"),
    ];
    let sources = own.into_iter().chain(["src".to_owned()]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let newest: Vec<_> = sources
        .filter_map(|source| newest(&folder.join(source)))
        .collect();
    let fresh = built.is_some_and(|built| newest.iter().all(|source| *source <= built));
    assert!(
        fresh,
        "{} is missing or old: run `cargo build --examples` first",
        path.display()
    );
    path
}

/// When the newest of the files in a folder, or a single file, was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    match fs::read_dir(path) {
        Ok(entries) => entries
            .flatten()
            .filter_map(|entry| newest(&entry.path()))
            .max(),
        Err(_) => modified(path),
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// The command that runs an example with these arguments, given as one text.
pub(crate) fn command(example: &str, arguments: &str) -> Command {
    let mut command = Command::new(executable(example));
    command
        .args(arguments.split_whitespace())
        .env_remove("SELECTOR");
    command
}

/// A running program. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    /// The lines of standard output that a test has seen.
    seen: Vec<String>,
}

/// How a program ended, and all that it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn assert_success(&self) {
        assert!(self.status.success(), "{self:#?}");
    }

    /// Whether it ended with this status after one line on standard error; returns that line.
    #[track_caller]
    pub(crate) fn assert_failure(&self, status: i32) -> &str {
        assert_eq!(self.status.code(), Some(status), "{self:#?}");
        assert_eq!(
            self.stderr.lines().count(),
            1,
            "one line, please: {self:#?}"
        );
        self.stderr.trim_end()
    }
}

/// Runs an example to its end.
pub(crate) fn run(example: &str, arguments: &str) -> Outcome {
    Program::start(command(example, arguments)).finish()
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Program {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the example can be started");
        let stdout = lines_of(child.stdout.take().expect("stdout is piped"));
        let mut stderr = child.stderr.take().expect("stderr is piped");
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr
                .read_to_string(&mut text)
                .expect("a program speaks UTF-8");
            text
        });
        Program {
            child,
            stdout,
            stderr: Some(stderr),
            seen: Vec::new(),
        }
    }

    /// A server on a free port, which listens, and its address.
    pub(crate) fn server(example: &str, arguments: &str) -> (Program, SocketAddr) {
        Self::listening(command(example, &format!("--addr 127.0.0.1:0 {arguments}")))
    }

    /// A server that a command starts, and the address that it prints.
    pub(crate) fn listening(command: Command) -> (Program, SocketAddr) {
        let mut program = Program::start(command);
        let line = program.line_with("listening on ");
        let address = line
            .split("listening on ")
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        let address = address.and_then(|text| text.parse().ok());
        (
            program,
            address.unwrap_or_else(|| panic!("no address in {line:?}")),
        )
    }

    /// Waits for a line of standard output with `text` in it.
    #[track_caller]
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        let deadline = Instant::now() + GUARD;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.stdout.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {text:?} after {:?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = self.child.wait();
                    let stderr = self.stderr.take().map(JoinHandle::join);
                    panic!("ended without {text:?} after {:?}, {stderr:?}", self.seen);
                }
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the program is there to be signalled");
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Outcome {
        let deadline = Instant::now() + GUARD;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "still running after {GUARD:?}: {:?}",
                self.seen
            );
            thread::sleep(Duration::from_millis(5));
        };
        let mut lines = std::mem::take(&mut self.seen);
        lines.extend(self.stdout.iter());
        let stderr = self
            .stderr
            .take()
            .map(|reader| reader.join().expect("stderr is read"));
        Outcome {
            status,
            stdout: lines.join("\n"),
            stderr: stderr.unwrap_or_default(),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a pipe as they come.
fn lines_of(pipe: ChildStdout) -> Receiver<String> {
    let (lines, received) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            // Nobody listens any more once the test is over.
            if lines.send(line.expect("a program speaks UTF-8")).is_err() {
                break;
            }
        }
    });
    received
}
