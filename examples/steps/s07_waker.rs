//! Step 7 of 12: the data of a key becomes a waker, and a client becomes a future, written by hand.
//!
//! ```text
//! cargo run --example s07_waker                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what is a waker, really?

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use examples::command_line::arguments;
use examples::{say, told};
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Events};

// ANCHOR: client
/// A client, and what was read from it and not yet sent back.
struct Client {
    runtime: Rc<Runtime>,
    stream: Rc<TcpStream>,
    unsent: Vec<u8>,
}
// ANCHOR_END: client

fn main() -> io::Result<()> {
    let about = "Step 7 of 12: a waker for each key";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    let selector = DefaultSelector::new()?;
    told::begin(selector.backend().name());
    say!("listening on {}", listener.local_addr()?);
    let selector = RefCell::new(selector);
    let runtime = Rc::new(Runtime { selector });
    // One client after another, as in step 1: there is room for one future only.
    loop {
        let (stream, _from) = told::accept(&listener)?;
        stream.set_nonblocking(true)?;
        let client = Client {
            runtime: Rc::clone(&runtime),
            stream: Rc::new(stream),
            unsent: Vec::new(),
        };
        let ended = runtime.block_on(client)?;
        say!("a client has gone: {ended:?}");
    }
}

// ANCHOR: future
impl Future for Client {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.advance() {
                Ok(true) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                ended => return Poll::Ready(ended.map(|_| ())),
            }
        }
        let idle = self.unsent.is_empty();
        let events = if idle { EVENT_READ } else { EVENT_WRITE };
        self.runtime.wait(self.stream.clone(), events, cx)?;
        Poll::Pending
    }
}
// ANCHOR_END: future

impl Client {
    /// Sends what is left, or else reads something new. False: the client has gone.
    fn advance(&mut self) -> io::Result<bool> {
        if self.unsent.is_empty() {
            let mut buffer = [0; 4096];
            let length = told::read(&self.stream, &mut buffer)?;
            self.unsent.extend_from_slice(&buffer[..length]);
            return Ok(length != 0);
        }
        let sent = told::write(&self.stream, &self.unsent)?;
        self.unsent.drain(..sent);
        Ok(true)
    }
}

// ANCHOR: runtime
/// What runs futures: a selector whose keys hold the waker of whoever waits.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
}
// ANCHOR_END: runtime

impl Runtime {
    // ANCHOR: wait
    /// Stores the waker and arms the key, both with one call. Only then may a poll say Pending.
    fn wait(&self, fd: Rc<dyn AsFd>, events: Events, cx: &Context<'_>) -> io::Result<()> {
        told::stored(&fd, events);
        let mut selector = self.selector.borrow_mut();
        selector.register(fd, events, cx.waker().clone())?;
        Ok(())
    }
    // ANCHOR_END: wait

    // ANCHOR: turn
    /// Sleeps until a key is ready, and calls the waker in it.
    fn turn(&self) -> io::Result<()> {
        let mut ready = Vec::new();
        told::asleep(self.selector.borrow().get_map().len(), None);
        self.selector.borrow_mut().select(&mut ready, None)?;
        told::ready(&ready);
        for event in &ready {
            // One report, one wake: whoever still waits registers again.
            let key = self.selector.borrow_mut().unregister(event.token)?;
            told::changed(key.fd, None);
            key.data.wake();
        }
        Ok(())
    }
    // ANCHOR_END: turn

    // ANCHOR: block_on
    /// Polls one future, and sleeps whenever nobody has woken it.
    fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        let mut future = pin!(future);
        let woken = Arc::new(AtomicBool::new(true));
        let flag = Arc::clone(&woken);
        // That is all that a waker is: a function to call when it is worth while to poll again.
        let waker = waker_fn::waker_fn(move || {
            flag.store(true, Ordering::SeqCst);
            told::woken(0, 1);
        });
        let mut cx = Context::from_waker(&waker);
        loop {
            while !woken.swap(false, Ordering::SeqCst) {
                self.turn()?;
            }
            if let Poll::Ready(output) = told::polled(0, || future.as_mut().poll(&mut cx)) {
                return Ok(output);
            }
        }
    }
    // ANCHOR_END: block_on
}
