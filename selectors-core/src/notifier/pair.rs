//! A notifier of bytes between two sockets that are connected with each other, where only sockets can
//! be watched.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::bytes::{drained, written};
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
        written((&self.writer).write(&[1]))
    }

    pub(crate) fn clear(&self) -> Result<bool, Error> {
        drained(|buffer| (&self.reader).read(buffer))
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
