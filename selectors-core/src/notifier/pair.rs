//! A notifier of bytes between two sockets that are connected with each other, where only sockets can
//! be watched.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::Error;

#[derive(Debug)]
pub(crate) struct Pair {
    reader: TcpStream,
    writer: TcpStream,
}

impl Pair {
    pub(crate) fn new() -> Result<Pair, Error> {
        connected().map_err(|error| Error::os("connect a pair of sockets", None, error))
    }

    pub(crate) fn notify(&self) -> Result<(), Error> {
        match (&self.writer).write(&[1]) {
            // There is no room, so the other end is readable.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                Err(Error::os("write notification", None, error))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        let mut buffer = [0; 256];
        let mut notified = false;
        loop {
            match (&self.reader).read(&mut buffer) {
                Ok(n) if n == buffer.len() => notified = true,
                Ok(n) => return Ok(notified || n > 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(notified),
                Err(error) => return Err(Error::os("read notification", None, error)),
            }
        }
    }
}

crate::has_fd!([] Pair, reader);

fn connected() -> io::Result<Pair> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let writer = TcpStream::connect(listener.local_addr()?)?;
    let ours = writer.local_addr()?;
    // Anybody on this machine may connect to the listener.
    let reader = loop {
        let (reader, from) = listener.accept()?;
        if from == ours {
            break reader;
        }
    };
    // One notification at a time: none waits for the confirmation of another.
    writer.set_nodelay(true)?;
    writer.set_nonblocking(true)?;
    reader.set_nonblocking(true)?;
    Ok(Pair { reader, writer })
}
