//! Step 7 of 12: the data of a key becomes a waker, and the server becomes one future, written by hand.
//!
//! ```text
//! cargo run --example s07_waker                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what is a waker, really?

use std::cell::RefCell;
use std::env;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use examples::told;
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Events};

/// The reactor: a selector whose keys hold the waker of whoever waits.
type Reactor = RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>;

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let reactor = Reactor::new(DefaultSelector::new()?);
    told::begin(reactor.borrow().backend().name())?;
    let server = Server {
        reactor: &reactor,
        listener: Rc::new(listener),
        client: None,
        unsent: Vec::new(),
    };
    block_on(&reactor, server)?
}

/// Polls one future; asks the kernel whenever it is pending and nobody has woken it.
fn block_on<F: Future>(reactor: &Reactor, future: F) -> io::Result<F::Output> {
    let mut future = pin!(future);
    let woken = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&woken);
    // That is all that a waker is: a function to call when it is worth while to poll again.
    let waker = waker_fn::waker_fn(move || {
        flag.store(true, Ordering::SeqCst);
        told::woken(0, 1);
    });
    let mut ready = Vec::new();
    loop {
        if woken.swap(false, Ordering::SeqCst) {
            let mut cx = Context::from_waker(&waker);
            let polled = told::polled(0, || future.as_mut().poll(&mut cx));
            if let Poll::Ready(output) = polled {
                return Ok(output);
            }
            continue;
        }
        told::asleep(reactor.borrow().get_map().len(), None);
        reactor.borrow_mut().select(&mut ready, None)?;
        told::ready(&ready);
        for event in &ready {
            // One report, one wake: whoever still waits registers again.
            let key = reactor.borrow_mut().unregister(event.token)?;
            told::changed(key.fd, None);
            key.data.wake();
        }
    }
}

/// Serves one client after another: a future with all of its states in sight.
struct Server<'a> {
    reactor: &'a Reactor,
    listener: Rc<TcpListener>,
    client: Option<Rc<TcpStream>>,
    unsent: Vec<u8>,
}

impl Future for Server<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let Err(error) = self.advance() else { continue };
            if error.kind() != ErrorKind::WouldBlock {
                // The client is lost, and the next one is welcome.
                self.client = None;
                self.unsent.clear();
                continue;
            }
            // Store the waker and arm the key, both with one call, and only then say Pending.
            let (fileobj, events): (Rc<dyn AsFd>, Events) = match &self.client {
                None => (Rc::clone(&self.listener) as _, EVENT_READ),
                Some(client) if self.unsent.is_empty() => (Rc::clone(client) as _, EVENT_READ),
                Some(client) => (Rc::clone(client) as _, EVENT_WRITE),
            };
            let mut selector = self.reactor.borrow_mut();
            told::stored(&fileobj, events);
            selector.register(fileobj, events, cx.waker().clone())?;
            return Poll::Pending;
        }
    }
}

impl Server<'_> {
    /// One system call.
    fn advance(&mut self) -> io::Result<()> {
        let Some(client) = &self.client else {
            let (stream, _from) = told::accept(&self.listener)?;
            stream.set_nonblocking(true)?;
            self.client = Some(Rc::new(stream));
            return Ok(());
        };
        if self.unsent.is_empty() {
            let mut buffer = [0; 4096];
            let length = told::read(client, &mut buffer)?;
            self.unsent.extend_from_slice(&buffer[..length]);
            if length == 0 {
                self.client = None;
            }
        } else {
            let sent = told::write(client, &self.unsent)?;
            self.unsent.drain(..sent);
        }
        Ok(())
    }
}
