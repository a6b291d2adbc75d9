//! Step 10 of 12: timers without an fd, and threads that end the sleep of the loop.
//!
//! ```text
//! cargo run --example s10_time                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: who wakes a thread that sleeps in select?

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use examples::command_line::arguments;
use examples::{say, told};
use futures_channel::oneshot;
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Events, Notifier, Token};

fn main() -> io::Result<()> {
    let about = "Step 10 of 12: timers without an fd";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let runtime = Rc::new(Runtime::new()?);
    told::begin(runtime.selector.borrow().backend().name());
    say!("listening on {}", listener.local_addr()?);
    runtime.spawn(serve(Async::new(&runtime, listener)));
    runtime.run()
}

/// The task that accepts.
async fn serve(listener: Async<TcpListener>) -> io::Result<()> {
    loop {
        let (stream, _from) = listener.call(EVENT_READ, told::accept).await?;
        stream.set_nonblocking(true)?;
        let stream = Async::new(&listener.runtime, stream);
        listener.runtime.spawn(echo(stream));
    }
}

/// The task of one client.
async fn echo(stream: Async<TcpStream>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = stream.call(EVENT_READ, |stream| told::read(stream, &mut buffer));
        let length = read.await?;
        if length == 0 {
            return Ok(());
        }
        // ANCHOR: thought
        // As if the answer took some thought: a thread does the work, and the loop goes on.
        let question = buffer[..length].to_vec();
        let (done, answer) = oneshot::channel();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            done.send(question)
        });
        let answer = answer.await.map_err(io::Error::other)?;
        sleep(&stream.runtime, Duration::from_millis(1)).await;
        // ANCHOR_END: thought
        let mut unsent = &answer[..];
        while !unsent.is_empty() {
            let write = stream.call(EVENT_WRITE, |stream| told::write(stream, unsent));
            unsent = &unsent[write.await?..];
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

// ANCHOR: sleep
/// Pending until its time has come.
async fn sleep(runtime: &Runtime, duration: Duration) {
    // The number makes two timers of one deadline two.
    let number = runtime.sleeps.replace(runtime.sleeps.get() + 1);
    let timer = (Instant::now() + duration, number);
    poll_fn(|cx| {
        if Instant::now() >= timer.0 {
            return Poll::Ready(());
        }
        let mut timers = runtime.timers.borrow_mut();
        timers.insert(timer, cx.waker().clone());
        told::timer_set(timer);
        Poll::Pending
    })
    .await;
}
// ANCHOR_END: sleep

type Task = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// What runs futures: a selector whose keys hold the waker of whoever waits.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
    /// A task keeps its place; one that is over leaves it empty.
    tasks: RefCell<Vec<Option<Task>>>,
    /// Behind a lock, because a waker may be called from any thread.
    queue: Arc<Mutex<VecDeque<usize>>>,
    // ANCHOR: fields
    /// The earliest first.
    timers: RefCell<BTreeMap<(Instant, usize), Waker>>,
    sleeps: Cell<usize>,
    /// Written to by wakers of other threads; its fd is watched like any other.
    notifier: Arc<Notifier>,
    notified: Token,
    // ANCHOR_END: fields
}

impl Runtime {
    fn new() -> io::Result<Self> {
        let notifier = Arc::new(Notifier::new()?);
        let mut selector = DefaultSelector::new()?;
        let fd: Rc<dyn AsFd> = Rc::new(Arc::clone(&notifier));
        let notified = selector.register(fd, EVENT_READ, Waker::noop().clone())?;
        Ok(Runtime {
            selector: RefCell::new(selector),
            tasks: RefCell::default(),
            queue: Arc::default(),
            timers: RefCell::default(),
            sleeps: Cell::new(0),
            notifier,
            notified,
        })
    }

    /// Stores the waker and arms the key, both with one call. Only then may a poll say Pending.
    fn wait(&self, fd: Rc<dyn AsFd>, events: Events, cx: &Context<'_>) -> io::Result<()> {
        told::stored(&fd, events);
        let mut selector = self.selector.borrow_mut();
        selector.register(fd, events, cx.waker().clone())?;
        Ok(())
    }

    // ANCHOR: turn
    /// Sleeps until a key is ready, a timer is due, or another thread notifies; calls the wakers.
    fn turn(&self) -> io::Result<()> {
        let mut ready = Vec::new();
        // No fd for time: the earliest deadline is the timeout.
        let next = self.timers.borrow().keys().next().copied();
        let timeout = next.map(|(due, _)| due.saturating_duration_since(Instant::now()));
        told::asleep(self.selector.borrow().get_map().len() - 1, timeout);
        self.selector.borrow_mut().select(&mut ready, timeout)?;
        // It has done its work when it has ended our sleep.
        let bell = ready.extract_if(.., |event| event.token == self.notified);
        let rung = bell.count() > 0;
        told::ready(&ready);
        if rung {
            self.notifier.clear()?;
            told::notified();
        }
        for event in &ready {
            // One report, one wake: whoever still waits registers again.
            let key = self.selector.borrow_mut().unregister(event.token)?;
            told::changed(key.fd, None);
            key.data.wake();
        }
        // All timers that are due leave the map; then their wakers are called.
        let later = (Instant::now(), usize::MAX);
        let later = self.timers.borrow_mut().split_off(&later);
        for ((_, number), waker) in self.timers.replace(later) {
            told::timer_fired(number);
            waker.wake();
        }
        Ok(())
    }
    // ANCHOR_END: turn

    fn spawn(&self, future: impl Future<Output = io::Result<()>> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Some(Box::pin(future)));
        let mut queue = self.queue.lock().unwrap();
        queue.push_back(tasks.len() - 1);
        told::spawned(tasks.len() - 1, queue.len());
    }

    // ANCHOR: waker
    /// A wake is a number at the end of a queue, and from another thread the end of our sleep.
    fn waker(&self, number: usize) -> Waker {
        let queue = Arc::clone(&self.queue);
        let notifier = Arc::clone(&self.notifier);
        let home = thread::current().id();
        waker_fn::waker_fn(move || {
            let mut queue = queue.lock().unwrap();
            queue.push_back(number);
            told::woken(number, queue.len());
            // Queued first: whoever is woken by the notifier finds it.
            drop(queue);
            if thread::current().id() != home {
                // It fails only if the fd is taken away from us.
                let _ = notifier.notify();
            }
        })
    }
    // ANCHOR_END: waker

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
