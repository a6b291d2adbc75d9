//! The other process: a subject of ours that is started and placed, or a server at an address.

use std::fs::{read_dir, read_link, read_to_string};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Outcome, Process, Spec, Watch};
use crate::subjects::{LOOPBACK, NULL};
use crate::sys;

pub struct Server {
    process: Option<Process>,
    /// The process of a server that ran already, if it can be seen.
    elsewhere: Option<u32>,
    /// Where it listens; nothing for the null server, which is none.
    pub address: Option<SocketAddr>,
}

impl Server {
    /// Starts the subject of `spec` on its CPU, for so many connections, and puts this thread on the client's.
    pub fn start(spec: &Spec, connections: usize) -> Result<Self, String> {
        let mut server = Self { process: None, elsewhere: None, address: None };
        // A machine that refuses only measures with more noise.
        let _ = sys::pin_to_cpu(spec.placement.server_cpu());
        if let Some(text) = &spec.server {
            let address = loopback(text)?;
            server.address = Some(address);
            server.elsewhere = listening(address.port());
        } else if spec.program() != NULL {
            let mut command = match &spec.server_program {
                Some(path) => Command::new(path),
                None => Process::command("serve", spec.program(), connections as u64)?,
            };
            let process = Process::server(&mut command)?;
            server.address = Some(SocketAddr::new(LOOPBACK.ip(), process.port));
            server.process = Some(process);
        }
        let _ = sys::pin_to_cpu(spec.placement.client_cpu());
        Ok(server)
    }

    /// Its process, if there is one that can be seen.
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id).or(self.elsewhere)
    }

    pub fn cpu(&self) -> Option<Duration> {
        sys::process_cpu_time(self.id()?).ok()
    }
}

/// What a server and this process use while something is measured, and what else the machine does.
pub struct Meter<'a> {
    server: &'a Server,
    watch: Watch,
    before: Option<Duration>,
    own: Duration,
}

impl<'a> Meter<'a> {
    pub fn begin(server: &'a Server) -> Self {
        let watch = Watch::begin(server.id().as_slice());
        Self { server, watch, before: server.cpu(), own: own_cpu() }
    }

    /// Tells what the machine did, the share of a CPU that the server had and, as `each`, what it
    /// used for each of `count`; the shares of a CPU that the server had, if it can be seen, and
    /// this process.
    pub fn end(
        self,
        elapsed: Duration,
        count: f64,
        each: &str,
        outcome: &mut Outcome,
    ) -> (Option<f64>, f64) {
        outcome.watched = Some(self.watch.end());
        let share = |used: Duration| used.as_secs_f64() / elapsed.as_secs_f64();
        let client = share(own_cpu().saturating_sub(self.own));
        let used = self.server.cpu().zip(self.before);
        let server = used.map(|(after, before)| after.saturating_sub(before)).map(|used| {
            outcome.metric("server_cpu", share(used));
            outcome.metric(each, used.as_nanos() as f64 / count.max(1.0));
            share(used)
        });
        (server, client)
    }
}

fn own_cpu() -> Duration {
    sys::process_cpu_time(std::process::id()).unwrap_or_default()
}

/// Whether anybody listens there: asked once, before errors are measured for a whole budget.
pub fn reached(address: SocketAddr) -> Result<(), String> {
    let wrong = |error: io::Error| match error.kind() {
        ErrorKind::ConnectionRefused => "nobody listens there (connection refused)".to_owned(),
        _ => format!("it cannot be reached: {error}"),
    };
    let answer = TcpStream::connect_timeout(&address, Duration::from_secs(5));
    answer.map(drop).map_err(|error| format!("{address}: {}", wrong(error)))
}

/// The process that listens on a TCP port, if this one may see it: by the inode of the socket.
fn listening(port: u16) -> Option<u32> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| read_to_string(path).unwrap_or_default());
    let local = format!(":{port:04X}");
    let inode = tables.iter().flat_map(|table| table.lines()).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // 0A is LISTEN.
        let listens = words.get(1)?.ends_with(&local) && *words.get(3)? == "0A";
        listens.then(|| words.get(9).copied()).flatten()
    })?;
    let socket = format!("socket:[{inode}]");
    let holds = |pid: &u32| {
        let fds = read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        fds.into_iter()
            .any(|fd| read_link(fd.path()).is_ok_and(|to| to.as_os_str() == socket.as_str()))
    };
    let entries = read_dir("/proc").ok()?.flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(holds)
}

/// Lets the process stand still for `pause`, from a thread of its own on a CPU and after a delay; joined, it
/// tells how long it really stood.
pub fn stop_once(
    pid: u32,
    (cpu, delay): (usize, Duration),
    pause: Duration,
) -> JoinHandle<io::Result<Duration>> {
    std::thread::spawn(move || {
        let _ = sys::pin_to_cpu(cpu);
        std::thread::sleep(delay);
        let process = Pid::from_raw(pid.cast_signed());
        kill(process, Signal::SIGSTOP)?;
        let begin = Instant::now();
        std::thread::sleep(pause);
        kill(process, Signal::SIGCONT)?;
        Ok(begin.elapsed())
    })
}

/// An address of this machine's loopback, and of nothing else.
pub fn loopback(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost", "127.0.0.1");
    let address: SocketAddr =
        text.parse().map_err(|_| format!("{text} is no address like 127.0.0.1:7000"))?;
    let own = address.ip().is_loopback().then_some(address);
    own.ok_or_else(|| {
        format!("{text} is not on the loopback: load is only ever put on this machine")
    })
}
