//! Ours, on each backend: the selectors of selectors-core, with `select_with`, the form that the
//! reactor uses; and the runtime.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use executor::JoinHandle;
use reactor::net::{TcpListener, TcpStream};
use reactor::{Trigger, time};
use selectors_core::Backend::{Epoll, Poll, Select, Uring};
use selectors_core::{Backend, DefaultSelector, EVENT_READ, EVENT_WRITE, Mode, Token};

use super::runtime::borrowing;
use super::{BUFFER, Dispatcher, Kind, Runtime, Subject, serve, sound};

pub(super) const KINDS: &[Kind] = &[
    Kind::new("ours-epoll", "selectors-core, epoll, level", || open(Epoll, Mode::Level)),
    Kind::new("ours-epoll-edge", "selectors-core, epoll, edge", || open(Epoll, Mode::Edge)),
    Kind::new("ours-epoll-oneshot", "selectors-core, epoll, oneshot", || {
        open(Epoll, Mode::Oneshot)
    }),
    Kind::new("ours-poll", "selectors-core, poll", || open(Poll, Mode::Level)),
    Kind::new("ours-select", "selectors-core, select", || open(Select, Mode::Level)),
    Kind::new("ours-uring", "selectors-core, io_uring, level", || open(Uring, Mode::Level)),
    Kind::new("ours-uring-edge", "selectors-core, io_uring, edge", || open(Uring, Mode::Edge)),
];

/// The runtime; which of the choices is the parameter's to say.
pub(super) struct Ours<const CHOICE: usize>;

const CHOICES: [(&str, &str, Backend, Trigger); 7] = [
    ("ours", "ours, epoll, edge-triggered (the default)", Epoll, Trigger::Edge),
    ("ours-level", "ours, epoll, level-triggered", Epoll, Trigger::Level),
    ("ours-poll", "ours, poll", Poll, Trigger::Level),
    ("ours-select", "ours, select", Select, Trigger::Level),
    ("ours-spin", "ours, epoll, edge, spinning for 100 us", Epoll, Trigger::Edge),
    ("ours-uring", "ours, io_uring, edge-triggered", Uring, Trigger::Edge),
    ("ours-uring-level", "ours, io_uring, level-triggered", Uring, Trigger::Level),
];
const SELECT: usize = 3;
const SPINNING: usize = 4;

impl<const CHOICE: usize> Runtime for Ours<CHOICE> {
    const SUBJECT: Subject = {
        let (name, about, backend, _) = CHOICES[CHOICE];
        let subject = serve::subject::<Self>(name, about);
        let gated = CHOICE < 2 || CHOICE == SELECT;
        match backend {
            Uring => Subject { gated: true, ring: true, missing: no_ring, ..subject.on_demand() },
            _ => Subject { gated, spins: CHOICE == SPINNING, ..subject },
        }
    };

    type Join = JoinHandle<()>;
    type Sleep = time::Sleep;

    fn run<F: Future<Output = ()> + 'static>(future: F) {
        let (_, _, backend, trigger) = CHOICES[CHOICE];
        let spin = Duration::from_micros(if CHOICE == SPINNING { 100 } else { 0 });
        let reactor = executor::Reactor::builder().backend(backend).trigger(trigger).spin(spin);
        executor::Runtime::builder()
            .reactor(reactor)
            .build()
            .and_then(|runtime| runtime.block_on(future))
            .expect("our runtime");
    }

    fn spawn<F: Future<Output = ()> + 'static>(future: F) -> Self::Join {
        executor::spawn(future)
    }

    #[inline]
    fn sleep(duration: Duration) -> Self::Sleep {
        time::sleep(duration)
    }

    fn reset(mut sleep: Pin<&mut Self::Sleep>, duration: Duration) {
        sleep.reset(duration);
    }

    borrowing!(TcpListener, TcpStream, TcpListener::from_std);
}

fn no_ring() -> Option<String> {
    let refused = Uring.selector::<OwnedFd, ()>().err()?;
    Some(refused.to_string())
}

struct Selector {
    selector: DefaultSelector<Rc<OwnedFd>, usize>,
    tokens: Vec<Option<Token>>,
    mode: Mode,
}

fn open(backend: Backend, mode: Mode) -> io::Result<Box<dyn Dispatcher>> {
    let selector = backend.selector().map_err(io::Error::other)?;
    Ok(Box::new(Selector { selector, tokens: Vec::new(), mode }))
}

impl Selector {
    fn token(&self, index: usize) -> io::Result<Token> {
        let token = self.tokens.get(index).copied().flatten();
        token.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Dispatcher for Selector {
    fn add(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<()> {
        let token = self
            .selector
            .register_with(fd.clone(), EVENT_READ, self.mode, index)
            .map_err(|refused| io::Error::other(refused.error))?;
        self.tokens.resize(self.tokens.len().max(index + 1), None);
        self.tokens[index] = Some(token);
        Ok(())
    }

    fn change(&mut self, index: usize, _fd: &Rc<OwnedFd>, write: bool) -> io::Result<()> {
        let events = if write { EVENT_READ | EVENT_WRITE } else { EVENT_READ };
        let token = self.token(index)?;
        self.selector.modify(token, events).map_err(io::Error::other)
    }

    fn remove(&mut self, index: usize, _fd: &Rc<OwnedFd>) -> io::Result<()> {
        let token = self.token(index)?;
        self.tokens[index] = None;
        self.selector.unregister(token).map(drop).map_err(io::Error::other)
    }

    fn wait(&mut self, ready: &mut Vec<usize>) -> io::Result<()> {
        self.selector
            .select_with(None, |_, key, _| ready.push(key.data))
            .map_err(io::Error::other)?;
        Ok(())
    }

    fn rearm(&mut self, index: usize, fd: &Rc<OwnedFd>) -> io::Result<u64> {
        if self.mode.is_oneshot() {
            self.change(index, fd, false)?;
        }
        Ok(u64::from(self.mode.is_oneshot()))
    }
}
