//! mio: the selector without a runtime, and a loop on it as its own documentation writes a server.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{BUFFER, Dispatcher, Kind, Subject, listener, sound};

pub(super) const KINDS: &[Kind] = &[Kind::new("mio", "mio's Poll, edge", open)];

pub(super) const SUBJECT: Subject = Subject::new(
    "mio",
    "mio's Poll (edge-triggered), 1024 events a wait, short reads end a turn",
    serve,
);

const EVENTS: usize = 1024;
const LISTENER: Token = Token(usize::MAX);

fn serve(connections: usize) {
    let mut poll = Poll::new().expect("Poll::new");
    let mut listener = mio::net::TcpListener::from_std(listener().expect("listen"));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("register");
    let (mut open, mut free) = (Vec::<Option<TcpStream>>::with_capacity(connections), Vec::new());
    let mut events = Events::with_capacity(EVENTS);
    let mut buffer = [0; BUFFER];
    let mut closed = 0;
    while connections == 0 || closed < connections {
        match poll.poll(&mut events, None) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => panic!("poll: {error}"),
        }
        for event in &events {
            let place = event.token().0;
            if event.token() == LISTENER {
                accept_all(&listener, &poll, &mut open, &mut free);
            } else if let Some(stream) = &mut open[place]
                && !sound(echo(stream, &mut buffer, event.is_read_closed()), connections == 0)
            {
                open[place] = None;
                free.push(place);
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
    free: &mut Vec<usize>,
) {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                let place = free.pop().unwrap_or(open.len());
                let interest = Interest::READABLE;
                poll.registry().register(&mut stream, Token(place), interest).expect("register");
                match open.get_mut(place) {
                    Some(slot) => *slot = Some(stream),
                    None => open.push(Some(stream)),
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            // Its peer was gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
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

struct Mio {
    poll: Poll,
    events: Events,
}

fn open() -> io::Result<Box<dyn Dispatcher>> {
    Ok(Box::new(Mio { poll: Poll::new()?, events: Events::with_capacity(EVENTS) }))
}

impl Dispatcher for Mio {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        let registry = self.poll.registry();
        registry.register(&mut SourceFd(&fd), Token(index), Interest::READABLE)
    }

    fn change(&mut self, index: usize, fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let interest =
            if write { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let fd = fd.as_raw_fd();
        let registry = self.poll.registry();
        registry.reregister(&mut SourceFd(&fd), Token(index), interest)
    }

    fn remove(&mut self, _index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        self.poll.registry().deregister(&mut SourceFd(&fd))
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        self.poll.poll(&mut self.events, None)?;
        ready.extend(self.events.iter().map(|event| event.token().0));
        Ok(())
    }
}
