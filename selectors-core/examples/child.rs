//! Waits for a child process and for both its pipes at once, on one thread.
//!
//!     cargo run -p selectors-core --example child -- --selector select sh -c 'echo hi; exit 3'
//!
//! The end of a process has no fd everywhere, so a thread waits for it and notifies.

mod arguments;

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};

use selectors_core::{Backend, DefaultSelector, EVENT_READ, Notifier};

const USAGE: &str = "usage: child [--selector NAME] [--self-test] [COMMAND [ARGUMENT...]]";

enum Source {
    Output(ChildStdout),
    Errors(ChildStderr),
    Exit(Arc<Notifier>),
}

impl AsFd for Source {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Source::Output(pipe) => pipe.as_fd(),
            Source::Errors(pipe) => pipe.as_fd(),
            Source::Exit(notifier) => notifier.as_fd(),
        }
    }
}

struct Outcome {
    output: Vec<u8>,
    errors: Vec<u8>,
    status: ExitStatus,
}

fn run(backend: Backend, command: &mut Command) -> io::Result<Outcome> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let exited = Arc::new(Notifier::new()?);
    let status = Arc::new(OnceLock::new());
    let mut selector: DefaultSelector<Source, Vec<u8>> = backend.selector()?;
    selector.register(Source::Exit(Arc::clone(&exited)), EVENT_READ, Vec::new())?;
    let pipes = [output.map(Source::Output), errors.map(Source::Errors)];
    for pipe in pipes.into_iter().flatten() {
        selector.register(pipe, EVENT_READ, Vec::new())?;
    }
    let (waiter_status, waiter_exited) = (Arc::clone(&status), Arc::clone(&exited));
    let waiter = std::thread::spawn(move || {
        let _ = waiter_status.set(child.wait());
        // The selector of the other thread may be gone, if it failed; nobody waits then.
        let _ = waiter_exited.notify();
    });

    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut ready = Vec::new();
    while !selector.get_map().is_empty() {
        selector.select(&mut ready, None)?;
        for event in &ready {
            // Pipes of std read through `&mut`, so the key comes out, and goes back in.
            let mut key = selector.unregister(event.token)?;
            let mut buffer = [0; 4096];
            let n = match &mut key.fileobj {
                Source::Output(pipe) => pipe.read(&mut buffer)?,
                Source::Errors(pipe) => pipe.read(&mut buffer)?,
                Source::Exit(_) => {
                    println!("the child has ended");
                    continue;
                }
            };
            key.data.extend_from_slice(&buffer[..n]);
            match (n, key.fileobj) {
                (0, Source::Output(_)) => output = key.data,
                (0, _) => errors = key.data,
                (_, pipe) => drop(selector.register(pipe, EVENT_READ, key.data)?),
            }
        }
    }
    waiter.join().expect("the waiting thread panicked");
    match Arc::into_inner(status).and_then(OnceLock::into_inner) {
        Some(status) => Ok(Outcome {
            output,
            errors,
            status: status?,
        }),
        None => Err(io::Error::other("the child was not waited for")),
    }
}

fn main() -> io::Result<()> {
    let arguments = arguments::parse(USAGE);
    if arguments.self_test {
        let script = "echo out; echo err >&2; sleep 0.05; echo late; exit 3";
        let outcome = run(arguments.backend, Command::new("sh").args(["-c", script]))?;
        assert_eq!(outcome.output, b"out\nlate\n");
        assert_eq!(outcome.errors, b"err\n");
        assert_eq!(outcome.status.code(), Some(3));
        println!(
            "output, errors and status are right, selector {}",
            arguments.backend
        );
        return Ok(());
    }
    let mut words = arguments.rest.iter();
    let program = words.next().map_or("date", String::as_str);
    let outcome = run(arguments.backend, Command::new(program).args(words))?;
    io::stdout().write_all(&outcome.output)?;
    io::stderr().write_all(&outcome.errors)?;
    println!("{}", outcome.status);
    Ok(())
}
