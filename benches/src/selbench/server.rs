//! The other process: a subject of ours that is started and placed, or a server at an address.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::schema::Spec;
use crate::process::{self, Process};
use crate::work::say_port;
use crate::{runtime, subject, subjects, sys};

/// The tightest loop that there is, against which the generator shows what it can do.
pub const NULL: &str = subjects::BARE;
/// A server that swallows a message now and then, to see that this is found.
pub const FAULTY: &str = "faulty";

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
        if let Some(server) = &spec.server {
            let _ = sys::pin_to_cpu(spec.placement.client_cpu());
            return Ok(Self {
                process: None,
                address: loopback(server)?,
            });
        }
        let mut command = Process::command("serve", spec.program(), connections as u64)?;
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

/// Plays the subject of `words` in this process: those of [`subject::run`], and the faulty one.
///
/// # Errors
///
/// What is wrong with the words.
pub fn run(words: &[String]) -> Result<(), String> {
    match words {
        [work, name, _] if work == "serve" && name == FAULTY => serve_badly(),
        _ => {
            sys::raise_open_files().map_err(|error| error.to_string())?;
            subject::run(words)
        }
    }
}

/// Echoes, a thread a connection, but swallows every 300th read.
fn serve_badly() -> Result<(), String> {
    let listener = TcpListener::bind(runtime::LOOPBACK).map_err(|error| error.to_string())?;
    say_port(listener.local_addr().map_err(|e| e.to_string())?.port());
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || swallow(stream));
    }
    Ok(())
}

fn swallow(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    for number in 1.. {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(_) if number % 300 == 0 => {}
            Ok(count) => {
                if stream.write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
        }
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
