//! Step 9 of 12: async and await: the compiler writes the states that step 8 wrote by hand.
//!
//! ```text
//! cargo run --example s09_await                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what does `await` compile to?

use std::cell::RefCell;
use std::collections::VecDeque;
use std::env;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use examples::told;
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Events};

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let runtime = Runtime::new()?;
    told::begin(runtime.selector.borrow().backend().name())?;
    runtime.spawn(serve(Rc::clone(&runtime), address));
    runtime.run()
}

async fn serve(runtime: Rc<Runtime>, address: String) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let listener = Async::new(&runtime, listener);
    loop {
        let (stream, _from) = listener.call(EVENT_READ, told::accept).await?;
        stream.set_nonblocking(true)?;
        runtime.spawn(echo(Async::new(&runtime, stream)));
    }
}

async fn echo(stream: Async<TcpStream>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let length = stream
            .call(EVENT_READ, |stream| told::read(stream, &mut buffer))
            .await?;
        if length == 0 {
            return Ok(());
        }
        let mut unsent = &buffer[..length];
        while !unsent.is_empty() {
            let sent = stream
                .call(EVENT_WRITE, |stream| told::write(stream, unsent))
                .await?;
            unsent = &unsent[sent..];
        }
    }
}

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

    /// Makes a system call until it does not say WouldBlock, and sleeps in between.
    async fn call<R>(
        &self,
        events: Events,
        mut make: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            match make(&self.socket) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    Ready {
                        runtime: &self.runtime,
                        fd: Some(Rc::clone(&self.socket) as _),
                        events,
                    }
                    .await?;
                }
                done => return done,
            }
        }
    }
}

/// The one future that is still written by hand: Pending once, Ready when it was woken.
struct Ready<'a> {
    runtime: &'a Runtime,
    /// Taken when it registers.
    fd: Option<Rc<dyn AsFd>>,
    events: Events,
}

impl Future for Ready<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(fd) = self.fd.take() else {
            return Poll::Ready(Ok(()));
        };
        let mut selector = self.runtime.selector.borrow_mut();
        told::stored(&fd, self.events);
        selector.register(fd, self.events, cx.waker().clone())?;
        Poll::Pending
    }
}

type Task = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Selector, tasks, and who is to be polled.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
    /// A task keeps its place; one that is over leaves it empty.
    tasks: RefCell<Vec<Option<Task>>>,
    /// Behind a lock, because a waker may be called from any thread.
    queue: Arc<Mutex<VecDeque<usize>>>,
}

impl Runtime {
    fn new() -> io::Result<Rc<Self>> {
        Ok(Rc::new(Runtime {
            selector: RefCell::new(DefaultSelector::new()?),
            tasks: RefCell::default(),
            queue: Arc::default(),
        }))
    }

    fn spawn(&self, future: impl Future<Output = io::Result<()>> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Some(Box::pin(future)));
        let mut queue = self.queue.lock().unwrap();
        queue.push_back(tasks.len() - 1);
        told::spawned(tasks.len() - 1, queue.len());
    }

    /// Polls everybody in the queue; asks the kernel when the queue is empty.
    fn run(&self) -> io::Result<()> {
        let mut ready = Vec::new();
        loop {
            let next = self.queue.lock().unwrap().pop_front();
            let Some(number) = next else {
                told::asleep(self.selector.borrow().get_map().len(), None);
                self.selector.borrow_mut().select(&mut ready, None)?;
                told::ready(&ready);
                for event in &ready {
                    let key = self.selector.borrow_mut().unregister(event.token)?;
                    told::changed(key.fd, None);
                    key.data.wake();
                }
                continue;
            };
            // Taken out while it is polled: it may spawn, and that needs the list.
            let Some(mut task) = self.tasks.borrow_mut()[number].take() else {
                continue;
            };
            let queue = Arc::clone(&self.queue);
            // A wake is a number at the end of a queue, no more.
            let waker = waker_fn::waker_fn(move || {
                let mut queue = queue.lock().unwrap();
                queue.push_back(number);
                told::woken(number, queue.len());
            });
            let mut cx = Context::from_waker(&waker);
            match told::polled(number, || task.as_mut().poll(&mut cx)) {
                Poll::Pending => self.tasks.borrow_mut()[number] = Some(task),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => println!("task {number}: {error}"),
            }
        }
    }
}
