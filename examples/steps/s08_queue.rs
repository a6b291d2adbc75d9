//! Step 8 of 12: many futures, each a task, and a queue of those that were woken.
//!
//! ```text
//! cargo run --example s08_queue                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: where do tasks sleep? In no list at all: only a waker in a key remembers them.

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

type Task = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Selector, tasks, and who is to be polled.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
    /// A task keeps its place; one that is over leaves it empty.
    tasks: RefCell<Vec<Option<Task>>>,
    /// Behind a lock, because a waker may be called from any thread.
    queue: Arc<Mutex<VecDeque<usize>>>,
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let runtime = Rc::new(Runtime {
        selector: RefCell::new(DefaultSelector::new()?),
        tasks: RefCell::default(),
        queue: Arc::default(),
    });
    told::begin(runtime.selector.borrow().backend().name())?;
    let server = Server {
        runtime: Rc::clone(&runtime),
        listener: Rc::new(listener),
    };
    runtime.spawn(server);
    runtime.run()
}

impl Runtime {
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

    /// Stores the waker and arms the key.
    fn wait(&self, fd: Rc<dyn AsFd>, events: Events, cx: &Context<'_>) -> io::Result<()> {
        let mut selector = self.selector.borrow_mut();
        told::stored(&fd, events);
        selector.register(fd, events, cx.waker().clone())?;
        Ok(())
    }
}

/// The task that accepts.
struct Server {
    runtime: Rc<Runtime>,
    listener: Rc<TcpListener>,
}

impl Future for Server {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match told::accept(&self.listener) {
                Ok((stream, _from)) => {
                    stream.set_nonblocking(true)?;
                    self.runtime.spawn(Client {
                        runtime: Rc::clone(&self.runtime),
                        stream: Rc::new(stream),
                        unsent: Vec::new(),
                    });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let listener = Rc::clone(&self.listener);
                    self.runtime.wait(listener, EVENT_READ, cx)?;
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// The task of one client.
struct Client {
    runtime: Rc<Runtime>,
    stream: Rc<TcpStream>,
    unsent: Vec<u8>,
}

impl Future for Client {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let events = if self.unsent.is_empty() {
                        EVENT_READ
                    } else {
                        EVENT_WRITE
                    };
                    self.runtime
                        .wait(Rc::clone(&self.stream) as _, events, cx)?;
                    return Poll::Pending;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Client {
    /// One system call. False: the client has gone.
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
