//! The other end of the sockets, run by the measuring program and never by what it measures.
//!
//! The pace is lockstep: a round writes one message on each active connection, then reads every
//! reply. The server therefore finds the whole round ready, which is where its own cost weighs
//! most, and finds the same thing every time, which is what makes counts repeatable.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::subjects::runtime::MESSAGE;

/// Longer than any answer takes, even under strace; after it the run has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections to one server, each proven by an echo.
pub struct Client {
    streams: Vec<TcpStream>,
    message: [u8; MESSAGE],
    number: u64,
    next: usize,
}

impl Client {
    /// Opens `connections`, and waits for one echo on each before the next: the server has then
    /// accepted it, and its buffers have been touched.
    pub fn connect(port: u16, connections: usize) -> io::Result<Self> {
        let streams = Vec::with_capacity(connections);
        let mut client = Self { streams, message: [0; MESSAGE], number: 0, next: 0 };
        for index in 0..connections {
            client.streams.push(connect(port)?);
            client.send(index)?;
            client.receive(index)?;
        }
        Ok(client)
    }

    pub fn round(&mut self) -> io::Result<()> {
        self.round_of(self.streams.len())
    }

    /// One round over `active` of the connections, the next ones each time.
    pub fn round_of(&mut self, active: usize) -> io::Result<()> {
        self.number += 1;
        self.message[..8].copy_from_slice(&self.number.to_le_bytes());
        let (first, total) = (self.next, self.streams.len());
        for step in 0..active {
            self.send((first + step) % total)?;
        }
        for step in 0..active {
            self.receive((first + step) % total)?;
        }
        self.next = (first + active) % total;
        Ok(())
    }

    fn send(&self, index: usize) -> io::Result<()> {
        (&self.streams[index]).write_all(&self.message)
    }

    fn receive(&self, index: usize) -> io::Result<()> {
        let mut reply = [0; MESSAGE];
        (&self.streams[index]).read_exact(&mut reply)?;
        if reply == self.message {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the echo is not what was sent"))
    }
}

fn connect(port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
