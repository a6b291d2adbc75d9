//! mio: the selector without a runtime, as its own documentation writes a server.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::runtime::{BUFFER, LOOPBACK};
use crate::subject::Subject;
use crate::sys;
use crate::work::say_port;

/// An event loop over mio's `Poll`.
pub(super) const SUBJECT: Subject = Subject {
    name: "mio",
    about: "mio's Poll (edge-triggered), 1024 events a wait, short reads end a turn",
    serve,
    accept: None,
    cascade: None,
    tasks: None,
    own_buffer: 0,
    spinning: None,
    spins: false,
    linear: false,
    shown: true,
    gated: false,
};

const LISTENER: Token = Token(usize::MAX);

fn serve(connections: usize) {
    let mut listener = mio::net::TcpListener::bind(LOOPBACK).expect("bind");
    sys::no_delay(listener.as_raw_fd()).expect("TCP_NODELAY");
    say_port(listener.local_addr().expect("local_addr").port());
    let mut poll = Poll::new().expect("Poll::new");
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .expect("register");
    let mut open: Vec<Option<TcpStream>> = Vec::with_capacity(connections);
    let mut events = Events::with_capacity(1024);
    let mut buffer = [0; BUFFER];
    let mut closed = 0;
    while closed < connections {
        match poll.poll(&mut events, None) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => panic!("poll: {error}"),
        }
        for event in &events {
            if event.token() == LISTENER {
                accept_all(&listener, &poll, &mut open, connections);
                continue;
            }
            let slot = &mut open[event.token().0];
            let Some(stream) = slot else { continue };
            if !echo(stream, &mut buffer, event.is_read_closed()).expect("echo") {
                *slot = None;
                closed += 1;
            }
        }
    }
}

/// Accepts until the queue is empty, for an edge is told only once.
fn accept_all(
    listener: &mio::net::TcpListener,
    poll: &Poll,
    open: &mut Vec<Option<TcpStream>>,
    connections: usize,
) {
    while open.len() < connections {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let token = Token(open.len());
                poll.registry()
                    .register(&mut stream, token, Interest::READABLE)
                    .expect("register");
                open.push(Some(stream));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("accept: {error}"),
        }
    }
}

/// Sends back what came; false when the peer has closed. `closing` says that the end of the
/// stream is already behind the bytes.
fn echo(stream: &mut TcpStream, buffer: &mut [u8], closing: bool) -> io::Result<bool> {
    loop {
        match stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                stream.write_all(&buffer[..count])?;
                if count < buffer.len() && !closing {
                    return Ok(true);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
    }
}
