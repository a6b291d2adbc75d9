//! Step 9 of 12: async and await: the compiler writes the states that step 8 wrote by hand.
//!
//! ```text
//! cargo run --example s09_await                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what does `await` compile to?

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

fn main() -> io::Result<()> {
    let about = "Step 9 of 12: async and await";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let runtime = Rc::new(Runtime::new()?);
    told::begin(runtime.selector.borrow().backend().name());
    say!("listening on {}", listener.local_addr()?);
    runtime.spawn(serve(Async::new(&runtime, listener)));
    runtime.run()
}

// ANCHOR: serve
/// The task that accepts.
async fn serve(listener: Async<TcpListener>) -> io::Result<()> {
    loop {
        let (stream, _from) = listener.call(EVENT_READ, told::accept).await?;
        stream.set_nonblocking(true)?;
        let stream = Async::new(&listener.runtime, stream);
        listener.runtime.spawn(echo(stream));
    }
}
// ANCHOR_END: serve

// ANCHOR: echo
/// The task of one client.
async fn echo(stream: Async<TcpStream>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = stream.call(EVENT_READ, |stream| told::read(stream, &mut buffer));
        let length = read.await?;
        if length == 0 {
            return Ok(());
        }
        let mut unsent = &buffer[..length];
        while !unsent.is_empty() {
            let write = stream.call(EVENT_WRITE, |stream| told::write(stream, unsent));
            unsent = &unsent[write.await?..];
        }
    }
}
// ANCHOR_END: echo

// ANCHOR: async
/// A socket that knows how to wait.
struct Async<T> {
    runtime: Rc<Runtime>,
    socket: Rc<T>,
}

impl<T: AsFd + 'static> Async<T> {
    fn new(runtime: &Rc<Runtime>, socket: T) -> Self {
        Async {
            runtime: Rc::clone(runtime),
            socket: Rc::new(socket),
        }
    }

    /// Makes a system call until it does not say WouldBlock, and sleeps in between: the one future
    /// that is still written by hand, and it has no states left.
    async fn call<R, F>(&self, events: Events, mut make: F) -> io::Result<R>
    where
        F: FnMut(&T) -> io::Result<R>,
    {
        poll_fn(|cx| match make(&self.socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.runtime.wait(self.socket.clone(), events, cx)?;
                Poll::Pending
            }
            done => Poll::Ready(done),
        })
        .await
    }
}
// ANCHOR_END: async

type Task = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// What runs futures: a selector whose keys hold the waker of whoever waits.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
    /// A task keeps its place; one that is over leaves it empty.
    tasks: RefCell<Vec<Option<Task>>>,
    /// Behind a lock, because a waker may be called from any thread.
    queue: Arc<Mutex<VecDeque<usize>>>,
}

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

    fn spawn(&self, future: impl Future<Output = io::Result<()>> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Some(Box::pin(future)));
        let mut queue = self.queue.lock().unwrap();
        queue.push_back(tasks.len() - 1);
        told::spawned(tasks.len() - 1, queue.len());
    }

    /// A wake is a number at the end of a queue, no more.
    fn waker(&self, number: usize) -> Waker {
        let queue = Arc::clone(&self.queue);
        waker_fn::waker_fn(move || {
            let mut queue = queue.lock().unwrap();
            queue.push_back(number);
            told::woken(number, queue.len());
        })
    }

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
}
