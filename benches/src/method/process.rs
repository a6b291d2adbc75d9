//! Starts subjects as processes of their own, and reads what they tell.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::sys;

/// Runs `client` on a thread of its own, which shares one CPU with all that it starts, in turns:
/// neither end interrupts the other, so each sees full batches.
pub fn in_turns<T: Send>(client: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // A machine that refuses only measures with more noise.
            let _ = sys::pin_to_cpu(0).and_then(|()| sys::run_in_turns());
            client()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Where it listens, if it is a server.
    pub port: u16,
}

impl Process {
    /// This program again, as the subject of `work`.
    pub fn command(work: &str, name: &str, count: u64) -> Result<Command, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["subject", work, name]).arg(count.to_string());
        Ok(command)
    }

    /// Starts a server, and waits until it listens.
    pub fn server(command: &mut Command) -> Result<Self, String> {
        let mut process = Self::start(command)?;
        let line = process.lines.next().and_then(Result::ok);
        let port = line.and_then(|line| line.strip_prefix("port ")?.parse().ok());
        process.port = port.ok_or_else(|| format!("{command:?} did not say where it listens"))?;
        Ok(process)
    }

    pub fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {command:?}: {error}"))?;
        let out = child.stdout.take().ok_or("a piped output is there")?;
        Ok(Self { child, lines: BufReader::new(out).lines(), port: 0 })
    }

    /// Its process id; that of the wrapper if it is wrapped.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, and returns what it told.
    pub fn facts(mut self) -> Result<BTreeMap<String, f64>, String> {
        let mut facts = BTreeMap::new();
        for line in self.lines.by_ref() {
            let line = line.map_err(|error| error.to_string())?;
            if let Some((name, value)) = line.split_once(' ') {
                facts.insert(name.to_owned(), value.parse().map_err(|_| line.clone())?);
            }
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        if status.success() { Ok(facts) } else { Err(format!("the subject failed: {status}")) }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail when it has already ended, which is the usual case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
