//! Step 8 of 12: many futures, each a task, and a queue of those that were woken.
//!
//! ```text
//! cargo run --example s08_queue                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: where do tasks sleep? In no list at all: only a waker in a key remembers them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use examples::command_line::arguments;
use examples::{say, told};
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Events};

/// A client, and what was read from it and not yet sent back.
struct Client {
    runtime: Rc<Runtime>,
    stream: Rc<TcpStream>,
    unsent: Vec<u8>,
}

fn main() -> io::Result<()> {
    let about = "Step 8 of 12: many futures, and a queue";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = Rc::new(TcpListener::bind(address)?);
    listener.set_nonblocking(true)?;
    let runtime = Rc::new(Runtime::new()?);
    told::begin(runtime.selector.borrow().backend().name());
    say!("listening on {}", listener.local_addr()?);
    // ANCHOR: accept
    let spawner = Rc::clone(&runtime);
    runtime.spawn(poll_fn(move |cx| {
        loop {
            let (stream, _from) = match told::accept(&listener) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    spawner.wait(listener.clone(), EVENT_READ, cx)?;
                    return Poll::Pending;
                }
                accepted => accepted?,
            };
            stream.set_nonblocking(true)?;
            spawner.spawn(Client {
                runtime: Rc::clone(&spawner),
                stream: Rc::new(stream),
                unsent: Vec::new(),
            });
        }
    }));
    // ANCHOR_END: accept
    runtime.run()
}

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
type Task = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// What runs futures: a selector whose keys hold the waker of whoever waits.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
    /// A task keeps its place; one that is over leaves it empty.
    tasks: RefCell<Vec<Option<Task>>>,
    /// Behind a lock, because a waker may be called from any thread.
    queue: Arc<Mutex<VecDeque<usize>>>,
}
// ANCHOR_END: runtime

impl Runtime {
    fn new() -> io::Result<Self> {
        Ok(Runtime {
            selector: RefCell::new(DefaultSelector::new()?),
            tasks: RefCell::default(),
            queue: Arc::default(),
        })
    }

    /// Stores the waker and arms the key, both with one call. Only then may a poll say Pending.
    fn wait(&self, fd: Rc<dyn AsFd>, events: Events, cx: &Context<'_>) -> io::Result<()> {
        told::stored(&fd, events);
        let mut selector = self.selector.borrow_mut();
        selector.register(fd, events, cx.waker().clone())?;
        Ok(())
    }

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

    // ANCHOR: spawn
    fn spawn(&self, future: impl Future<Output = io::Result<()>> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Some(Box::pin(future)));
        let mut queue = self.queue.lock().unwrap();
        queue.push_back(tasks.len() - 1);
        told::spawned(tasks.len() - 1, queue.len());
    }
    // ANCHOR_END: spawn

    // ANCHOR: waker
    /// A wake is a number at the end of a queue, no more.
    fn waker(&self, number: usize) -> Waker {
        let queue = Arc::clone(&self.queue);
        waker_fn::waker_fn(move || {
            let mut queue = queue.lock().unwrap();
            queue.push_back(number);
            told::woken(number, queue.len());
        })
    }
    // ANCHOR_END: waker

    // ANCHOR: run
    /// Polls everybody in the queue, and sleeps whenever it is empty.
    fn run(&self) -> io::Result<()> {
        loop {
            let next = self.queue.lock().unwrap().pop_front();
            let Some(number) = next else {
                self.turn()?;
                continue;
            };
            // Taken out while it is polled: it may spawn, and that needs the list.
            let Some(mut task) = self.tasks.borrow_mut()[number].take() else {
                continue;
            };
            let waker = self.waker(number);
            let mut cx = Context::from_waker(&waker);
            match told::polled(number, || task.as_mut().poll(&mut cx)) {
                Poll::Pending => self.tasks.borrow_mut()[number] = Some(task),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => say!("task {number}: {error}"),
            }
        }
    }
    // ANCHOR_END: run
}
