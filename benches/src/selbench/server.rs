//! The other process: a subject of ours that is started and placed, or a server at an address.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::faulty::{self, Wrong};
use super::placement::Placement;
use super::schema::Spec;
use crate::process::{self, Process};
use crate::work::Accepting;
use crate::{runtime, subject, subjects, sys};

/// The tightest loop that there is, against which the generator shows what it can do.
pub const NULL: &str = subjects::BARE;

/// The null server of a placement: where servers spin, it spins as well.
pub fn null(placement: Placement) -> &'static str {
    match placement {
        Placement::SpinSpin => subjects::BARE_SPIN,
        _ => NULL,
    }
}

/// A server under measurement.
pub struct Server {
    process: Option<Process>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the subject of `spec` for so many connections, on its CPU, and puts this thread on
    /// the client's.
    ///
    /// # Errors
    ///
    /// In words: no such subject, no loopback address, no such placement.
    pub fn start(spec: &Spec, connections: usize) -> Result<Self, String> {
        Self::with(spec, || {
            Process::command("serve", spec.program(), connections as u64)
        })
    }

    /// The same for connections that come and go, any number of them.
    ///
    /// # Errors
    ///
    /// As those of [`Server::start`].
    pub fn accepting(spec: &Spec, how: &Accepting) -> Result<Self, String> {
        Self::with(spec, || {
            let mut command = Process::again()?;
            command.args(["subject", "accept", spec.program()]);
            command.args(how.words());
            Ok(command)
        })
    }

    fn with(spec: &Spec, own: impl FnOnce() -> Result<Command, String>) -> Result<Self, String> {
        if let Some(server) = &spec.server {
            let _ = sys::pin_to_cpu(spec.placement.client_cpu());
            return Ok(Self {
                process: None,
                address: loopback(server)?,
            });
        }
        let mut command = match &spec.server_program {
            Some(path) => Command::new(path),
            None => own()?,
        };
        // A machine that refuses only measures with more noise.
        let _ = sys::pin_to_cpu(spec.placement.server_cpu());
        let process = Process::server(&mut command, process::Placement::Free);
        let _ = sys::pin_to_cpu(spec.placement.client_cpu());
        let process = process?;
        Ok(Self {
            address: SocketAddr::new(runtime::LOOPBACK.ip(), process.port),
            process: Some(process),
        })
    }

    /// Its process, if it is ours.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// CPU time that it has used so far.
    pub fn cpu(&self) -> Option<Duration> {
        sys::process_cpu_time(self.id()?).ok()
    }
}

/// Lets the process stand still for `pause` after `delay`, from a thread of its own on `cpu`;
/// joined, it tells how long the process really stood.
pub fn stop_once(
    pid: u32,
    cpu: usize,
    delay: Duration,
    pause: Duration,
) -> std::thread::JoinHandle<std::io::Result<Duration>> {
    std::thread::spawn(move || {
        let _ = sys::pin_to_cpu(cpu);
        std::thread::sleep(delay);
        sys::load::stop(pid)?;
        let begin = Instant::now();
        std::thread::sleep(pause);
        sys::load::go_on(pid)?;
        Ok(begin.elapsed())
    })
}

/// The share of one CPU that the process uses between `delay` and `delay + span` from now, seen
/// by a thread of its own on `cpu`.
pub fn busy_between(
    pid: u32,
    cpu: usize,
    delay: Duration,
    span: Duration,
) -> std::thread::JoinHandle<std::io::Result<f64>> {
    std::thread::spawn(move || {
        let _ = sys::pin_to_cpu(cpu);
        std::thread::sleep(delay);
        let (begin, before) = (Instant::now(), sys::process_cpu_time(pid)?);
        std::thread::sleep(span);
        let used = sys::process_cpu_time(pid)?.saturating_sub(before);
        Ok(used.as_secs_f64() / begin.elapsed().as_secs_f64())
    })
}

/// An address of this machine's loopback, and of nothing else.
///
/// # Errors
///
/// In words: no address, or one of another machine.
pub fn loopback(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost", "127.0.0.1");
    let address: SocketAddr = text
        .parse()
        .map_err(|_| format!("{text} is no address like 127.0.0.1:7000"))?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!(
            "{text} is not on the loopback: load is only ever put on this machine"
        ))
    }
}

/// Plays the subject of `words` in this process: those of [`subject::run`], and the faulty ones.
///
/// # Errors
///
/// What is wrong with the words.
pub fn run(words: &[String]) -> Result<(), String> {
    if let [work, name, _] = words
        && work == "serve"
        && let Some(wrong) = Wrong::named(name)
    {
        return faulty::serve(wrong);
    }
    sys::raise_open_files().map_err(|error| error.to_string())?;
    match words {
        [work, how @ ..] if work == "accept" => subject::accept(how),
        _ => subject::run(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_are_refused() {
        assert!(loopback("127.0.0.1:80").is_ok());
        assert!(loopback("localhost:80").is_ok());
        assert!(loopback("[::1]:80").is_ok());
        assert!(loopback("192.0.2.1:80").is_err());
        assert!(loopback("0.0.0.0:80").is_err());
        assert!(loopback("example.org:80").is_err());
    }
}
