//! The client's connections: messages go out, replies come back in order and are verified.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Socket, Type};

use super::{Payload, Spec, ports};
use crate::subjects::LOOPBACK;
use crate::sys;

/// Nanoseconds since it was made.
#[derive(Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    #[inline]
    pub fn now(&self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

#[derive(Clone, Copy)]
pub struct Sent {
    pub number: u64,
    pub intended: u64,
    pub actual: u64,
}

struct Connection {
    stream: TcpStream,
    payload: usize,
    under_way: VecDeque<Sent>,
    /// The beginning of a reply whose end has not come yet.
    partial: Vec<u8>,
    /// The end of messages that the socket had no room for, and whether the kernel is asked for room.
    unsent: Vec<u8>,
    full: bool,
}

/// Ports that the fault of few ports leaves.
const FEW: u16 = 32;

pub struct Connections {
    /// The server; without one a socket is connected to itself: what it sends it receives.
    address: Option<SocketAddr>,
    /// Whether a connection ends by a reset, which leaves nothing in `TIME_WAIT`.
    reset: bool,
    /// Whether only [`FEW`] local ports may be used.
    few: bool,
    epoll: Epoll,
    all: Vec<Connection>,
    /// How many of `all` carry the messages; a bulk stream comes after them.
    active: usize,
    /// Only open.
    idle: Vec<TcpStream>,
    payloads: Vec<Payload>,
    events: Vec<EpollEvent>,
    buffer: Vec<u8>,
    clock: Clock,
    /// Replies that were not what was sent, connections that closed.
    pub errors: u64,
}

impl Connections {
    /// Opens those of `spec` that will be used, and its idle ones.
    pub fn open(address: Option<SocketAddr>, spec: &Spec, clock: Clock) -> io::Result<Self> {
        sys::limit_open_files(None)?;
        let active = spec.count("connections").max(1);
        let mut connections = Self {
            address,
            reset: spec.choice("close") == "rst",
            few: spec.fault.as_deref() == Some("few-ports"),
            epoll: sys::epoll()?,
            all: Vec::with_capacity(active),
            active,
            idle: Vec::new(),
            payloads: vec![Payload::new(spec.count("size"))],
            events: vec![EpollEvent::empty(); 256],
            buffer: vec![0; 65536],
            clock,
            errors: 0,
        };
        for _ in 0..spec.count("idle") {
            connections.idle.push(connections.connect()?);
        }
        for index in 0..active {
            let one = connections.dial(index, 0)?;
            connections.all.push(one);
        }
        Ok(connections)
    }

    /// Opens one connection more, for messages of `size` bytes: a bulk stream beside the small
    /// messages, the first one past the active.
    pub fn open_bulk(&mut self, size: usize) -> io::Result<()> {
        self.payloads.push(Payload::new(size));
        let bulk = self.dial(self.active, self.payloads.len() - 1)?;
        self.all.push(bulk);
        Ok(())
    }

    /// Closes a connection and opens another in its place.
    pub fn redial(&mut self, index: usize) -> io::Result<()> {
        // Closed by being replaced, and only then: what ends must not wait for what begins.
        self.all[index] = self.dial(index, self.all[index].payload)?;
        Ok(())
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let family = self.address.map_or(Domain::IPV4, Domain::for_address);
        let socket = Socket::new(family, Type::STREAM, None)?;
        if self.few {
            let (first, _) = ports::range();
            sys::limit_local_ports(socket.as_raw_fd(), first, first.saturating_add(FEW - 1))?;
        }
        if self.reset {
            socket.set_linger(Some(Duration::ZERO))?;
        }
        match self.address {
            Some(address) => socket.connect(&address.into())?,
            None => {
                socket.bind(&LOOPBACK.into())?;
                socket.connect(&socket.local_addr()?)?;
            }
        }
        Ok(socket.into())
    }

    fn dial(&self, index: usize, payload: usize) -> io::Result<Connection> {
        let stream = self.connect()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
        let (under_way, partial, unsent, full) = Default::default();
        Ok(Connection { stream, payload, under_way, partial, unsent, full })
    }

    /// How many carry the messages; a bulk stream is not one of them.
    pub fn active(&self) -> usize {
        self.active
    }

    pub fn under_way(&self) -> usize {
        self.all.iter().map(|one| one.under_way.len()).sum()
    }

    /// Sends a message on one connection; the time when it was sent.
    #[inline]
    pub fn send(&mut self, index: usize, number: u64, intended: u64) -> io::Result<u64> {
        let connection = &mut self.all[index];
        let message = self.payloads[connection.payload].message(number, intended);
        let actual = self.clock.now();
        connection.under_way.push_back(Sent { number, intended, actual });
        let waits = !connection.unsent.is_empty();
        connection.unsent.extend_from_slice(message);
        if !waits {
            self.flush(index)?;
        }
        Ok(actual)
    }

    /// Waits until something comes, `None` for not at all, and tells each complete reply with
    /// its connection and its time. What `reply` answers, number and intended time, is sent on
    /// the same connection at once: a closed loop has no pause of its own. Whether anything came.
    #[inline]
    pub fn receive(
        &mut self,
        wait: Option<Duration>,
        mut reply: impl FnMut(usize, Sent, u64) -> Option<(u64, u64)>,
    ) -> io::Result<bool> {
        if let Some(wait) = wait {
            // Finer than the milliseconds of epoll_wait, and available everywhere.
            sys::wait_for(&self.epoll.0, wait)?;
        }
        let mut events = std::mem::take(&mut self.events);
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO);
        let come = events.iter().take(count.unwrap_or(0));
        let result = come.copied().try_for_each(|event| self.take(event, &mut reply));
        self.events = events;
        result?;
        Ok(count? > 0)
    }

    fn take(
        &mut self,
        event: EpollEvent,
        reply: &mut impl FnMut(usize, Sent, u64) -> Option<(u64, u64)>,
    ) -> io::Result<()> {
        let index = event.data() as usize;
        if event.events().contains(EpollFlags::EPOLLOUT) {
            self.flush(index)?;
        }
        if event.events() != EpollFlags::EPOLLOUT {
            self.read(index, reply)?;
        }
        Ok(())
    }

    /// Takes the last replies in, for so long at most: a connection that is closed over unread
    /// bytes is reset, which a server may take ill.
    pub fn drain(&mut self, patience: Duration) {
        let begin = Instant::now();
        while self.under_way() > 0
            && begin.elapsed() < patience
            && self.receive(Some(patience / 10), |_, _, _| None).is_ok()
        {}
    }

    fn flush(&mut self, index: usize) -> io::Result<()> {
        let connection = &mut self.all[index];
        match connection.stream.write(&connection.unsent) {
            Ok(count) => drop(connection.unsent.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let full = !connection.unsent.is_empty();
        if std::mem::replace(&mut connection.full, full) != full {
            let write = if full { EpollFlags::EPOLLOUT } else { EpollFlags::empty() };
            let mut event = EpollEvent::new(EpollFlags::EPOLLIN | write, index as u64);
            self.epoll.modify(&connection.stream, &mut event)?;
        }
        Ok(())
    }

    fn read(
        &mut self,
        index: usize,
        reply: &mut impl FnMut(usize, Sent, u64) -> Option<(u64, u64)>,
    ) -> io::Result<()> {
        let connection = &mut self.all[index];
        let count = match connection.stream.read(&mut self.buffer) {
            Ok(0) => {
                self.errors += 1;
                return Err(io::Error::other("the server closed a connection"));
            }
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let now = self.clock.now();
        let (payload, mut bytes) = (connection.payload, std::mem::take(&mut connection.partial));
        bytes.extend_from_slice(&self.buffer[..count]);
        let size = self.payloads[payload].size();
        for complete in bytes.chunks_exact(size) {
            let Some(sent) = self.all[index].under_way.pop_front() else {
                self.errors += 1;
                return Err(io::Error::other("a reply that nobody asked for"));
            };
            let right = self.payloads[payload].is(complete, sent.number, sent.intended);
            self.errors += u64::from(!right);
            if let Some((number, intended)) = reply(index, sent, now) {
                self.send(index, number, intended)?;
            }
        }
        bytes.drain(..bytes.len() - bytes.len() % size);
        self.all[index].partial = bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Connections to `port` that this machine keeps in `TIME_WAIT`.
    fn kept(port: u16) -> usize {
        let text = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let remote = format!(":{port:04X} 06 ");
        text.lines().filter(|line| line.contains(&remote)).count()
    }

    /// Has one message echoed on each of five connections, one after the other; the server's port.
    fn five(close: &str) -> u16 {
        let listener = TcpListener::bind(LOOPBACK).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = io::copy(&mut &stream, &mut &stream);
            }
        });
        let mut spec = Spec::default();
        spec.choices.insert("close".to_owned(), close.to_owned());
        let mut client = Connections::open(Some(address), &spec, Clock::begin()).unwrap();
        for number in 0..5 {
            client.send(0, number, 0).unwrap();
            client.drain(Duration::from_secs(20));
            client.redial(0).unwrap();
        }
        assert_eq!(client.errors, 0);
        address.port()
    }

    #[test]
    fn what_ends_in_order_stays_and_what_is_reset_is_gone() {
        assert_eq!(kept(five("rst")), 0, "a reset leaves nothing");
        let (port, begin) = (five("fin"), Instant::now());
        // The server may not have closed its end yet.
        while kept(port) < 5 {
            assert!(begin.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
