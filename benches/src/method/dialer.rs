//! The client of `churn`: connects, sends a message, takes the reply and closes, so many
//! connections at a time, each followed by the next at once.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use hdrhistogram::Histogram;
use socket2::{Domain, Socket, Type};

use super::{Clock, Payload, histogram};
use crate::sys;

/// So long nothing may happen before the server counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Close {
    /// In order; the kernel of the side that closes first, ours, keeps it in `TIME_WAIT`.
    Fin,
    /// By a reset: nothing remains of it.
    Rst,
}

impl Close {
    pub const NAMES: [&str; 2] = ["fin", "rst"];

    pub fn named(name: &str) -> Option<Self> {
        match name {
            "fin" => Some(Self::Fin),
            "rst" => Some(Self::Rst),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
pub struct Manner {
    pub address: SocketAddr,
    pub close: Close,
    /// Bytes in the message of each.
    pub size: usize,
    /// Whether to look without sleeping.
    pub spinning: bool,
    /// The only local ports to be used, first and last, if the kernel is not to choose.
    pub ports: Option<(u16, u16)>,
}

struct Dialled {
    socket: Socket,
    /// When `connect` was called.
    began: u64,
    number: u64,
    sent: bool,
    reply: Vec<u8>,
}

pub struct Dialer {
    manner: Manner,
    clock: Clock,
    epoll: OwnedFd,
    events: Vec<sys::EpollEvent>,
    buffer: Vec<u8>,
    payload: Payload,
    open: Vec<Dialled>,
    number: u64,
    /// From the call of `connect` to the first byte of the reply, in nanoseconds.
    pub first_byte: Histogram<u64>,
    /// Connections that have had their reply and were closed.
    pub done: u64,
    /// Replies that were not what was sent, and connections that the server closed.
    pub errors: u64,
}

impl Dialer {
    /// Opens the first `count`.
    pub fn open(manner: Manner, count: usize, clock: Clock) -> io::Result<Self> {
        sys::raise_open_files()?;
        let mut dialer = Self {
            manner,
            clock,
            epoll: sys::epoll_create1()?,
            events: vec![sys::NO_EVENT; 256],
            buffer: vec![0; 65536],
            payload: Payload::new(manner.size),
            open: Vec::with_capacity(count),
            number: 0,
            first_byte: histogram::new(),
            done: 0,
            errors: 0,
        };
        for index in 0..count {
            let dialled = dialer.dial(index)?;
            dialer.open.push(dialled);
        }
        Ok(dialer)
    }

    /// Forgets what was recorded: the warm-up is over.
    pub fn forget(&mut self) {
        self.first_byte.reset();
        self.done = 0;
    }

    /// Goes on for so long; how long it really was.
    pub fn run(&mut self, duration: Duration) -> io::Result<Duration> {
        let began = self.clock.now();
        let end = began + duration.as_nanos() as u64;
        let (mut now, mut last_done, mut last_at) = (began, self.done, began);
        while now < end {
            self.turn()?;
            now = self.clock.now();
            if self.done != last_done {
                (last_done, last_at) = (self.done, now);
            } else if now - last_at > PATIENCE.as_nanos() as u64 {
                return Err(io::Error::other("no connection was served any more"));
            }
        }
        Ok(Duration::from_nanos(now - began))
    }

    fn turn(&mut self) -> io::Result<()> {
        let timeout = match self.manner.spinning {
            true => 0,
            false => PATIENCE.as_millis() as i32 / 10,
        };
        let mut events = std::mem::take(&mut self.events);
        let count = sys::epoll_wait(&self.epoll, &mut events, timeout);
        let mut result = Ok(());
        for event in &events[..*count.as_ref().unwrap_or(&0)] {
            result = self.hear(event.u64 as usize);
            if result.is_err() {
                break;
            }
        }
        self.events = events;
        count?;
        result
    }

    fn dial(&mut self, index: usize) -> io::Result<Dialled> {
        let address = self.manner.address;
        let kind = Type::STREAM.nonblocking().cloexec();
        let socket = Socket::new(Domain::for_address(address), kind, None)?;
        let fd = socket.as_raw_fd();
        if let Some((first, last)) = self.manner.ports {
            sys::limit_local_ports(fd, first, last)?;
        }
        socket.set_tcp_nodelay(true)?;
        if self.manner.close == Close::Rst {
            socket.set_linger(Some(Duration::ZERO))?;
        }
        let began = self.clock.now();
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            Err(error) => return Err(error),
        }
        // Edges, and both directions at once: no change of interest when it is connected.
        let interest = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLET;
        sys::epoll_add(&self.epoll, fd, interest, index as u64)?;
        self.number += 1;
        Ok(Dialled { socket, began, number: self.number, sent: false, reply: Vec::new() })
    }

    fn hear(&mut self, index: usize) -> io::Result<()> {
        let dialled = &mut self.open[index];
        let fd = dialled.socket.as_raw_fd();
        if !dialled.sent {
            if let Some(error) = dialled.socket.take_error()? {
                return Err(error);
            }
            let message = self.payload.message(dialled.number, dialled.began);
            match sys::send(fd, message) {
                Ok(count) if count == message.len() => dialled.sent = true,
                Ok(_) => return Err(io::Error::other("a message that a new socket cannot hold")),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Not connected yet: the next event says when.
                Err(error) if error.kind() == ErrorKind::NotConnected => {}
                Err(error) => return Err(error),
            }
            return Ok(());
        }
        loop {
            let count = match sys::recv(fd, &mut self.buffer) {
                Ok(0) => {
                    self.errors += 1;
                    return Err(io::Error::other("the server closed a connection"));
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            if dialled.reply.is_empty() {
                let first_byte = self.clock.now() - dialled.began;
                histogram::record(&mut self.first_byte, first_byte);
            }
            dialled.reply.extend_from_slice(&self.buffer[..count]);
            if dialled.reply.len() < self.payload.size() {
                continue;
            }
            if !self.payload.is(&dialled.reply, dialled.number, dialled.began) {
                self.errors += 1;
            }
            self.done += 1;
            // Closed by being replaced, and only then: what ends must not wait for what begins.
            self.open[index] = self.dial(index)?;
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::subjects::runtime::LOOPBACK;

    /// Connections to `port` that this machine keeps in `TIME_WAIT`.
    fn kept(port: u16) -> usize {
        let text = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let remote = format!(":{port:04X}");
        let words =
            |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
        let of_it =
            |line: &Vec<String>| line.len() > 3 && line[2].ends_with(&remote) && line[3] == "06";
        text.lines().map(words).filter(of_it).count()
    }

    /// Opens and closes some connections; the port of the server, and how many were served.
    fn some(close: Close) -> (u16, usize) {
        let listener = TcpListener::bind(LOOPBACK).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut buffer = [0; 100];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    let _ = stream.write_all(&buffer[..count]);
                }
            }
        });
        let manner = Manner { address, close, size: 20, spinning: false, ports: None };
        let mut dialer = Dialer::open(manner, 1, Clock::new()).unwrap();
        while dialer.done < 5 {
            dialer.run(Duration::from_millis(1)).unwrap();
        }
        assert_eq!((dialer.errors, dialer.first_byte.len()), (0, dialer.done));
        (address.port(), dialer.done as usize)
    }

    #[test]
    fn what_ends_in_order_stays_and_what_is_reset_is_gone() {
        let (port, reset) = some(Close::Rst);
        assert!(reset >= 5);
        assert_eq!(kept(port), 0, "a reset leaves nothing");
        let (port, served) = some(Close::Fin);
        let begin = Instant::now();
        while kept(port) < served {
            // The server may not have closed its end yet.
            assert!(begin.elapsed() < Duration::from_secs(20), "{served} served");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
