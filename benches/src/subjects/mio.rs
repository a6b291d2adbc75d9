//! mio: the selector without a runtime, and a loop on it as its own documentation writes a server.

use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use mio::net::TcpStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{BUFFER, Dispatcher, Kind, Subject, listener, serve, sound};

pub(super) const KINDS: &[Kind] = &[Kind::new("mio", "mio's Poll, edge", open)];

pub(super) const SUBJECT: Subject = Subject::new(
    "mio",
    "mio's Poll (edge-triggered), 1024 events a wait, short reads end a turn",
    run,
);

const EVENTS: usize = 1024;
const LISTENER: Token = Token(usize::MAX);

fn run(connections: usize) {
    let mut poll = Poll::new().expect("Poll::new");
    let mut listener = mio::net::TcpListener::from_std(listener().expect("listen"));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("register");
    let mut open = Vec::<Option<TcpStream>>::with_capacity(connections + 64);
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
            let (place, closing) = (event.token().0, event.is_read_closed());
            if event.token() == LISTENER {
                // Until the queue is empty, for an edge is told only once.
                let accept = || Ok(listener.accept()?.0);
                serve::accept(accept, false, &mut open, |stream| {
                    let (token, interest) = (stream.as_raw_fd() as usize, Interest::READABLE);
                    poll.registry().register(stream, Token(token), interest).expect("register");
                });
            } else if let Some(stream) = &mut open[place]
                && !sound(serve::echo(stream, &mut buffer, closing), connections == 0)
            {
                open[place] = None;
                closed += 1;
            }
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
