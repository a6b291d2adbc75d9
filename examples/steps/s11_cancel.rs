//! Step 11 of 12: to drop a future is to cancel it. What it left behind, it takes back.
//!
//! ```text
//! cargo run --example s11_cancel                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what is cancellation, and what can it lose?

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
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
    let about = "Step 11 of 12: to drop a future is to cancel it";
    let named = [("ADDRESS", "127.0.0.1:7007"), ("MILLISECONDS", "60000")];
    let [address, patience] = arguments(about, named);
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let runtime = Rc::new(Runtime::new()?);
    told::begin(runtime.selector.borrow().backend().name());
    say!("listening on {}", listener.local_addr()?);
    // How long a silent client may stay, in milliseconds.
    let patience = Duration::from_millis(patience.parse().unwrap_or(60_000));
    runtime.spawn(serve(Async::new(&runtime, listener), patience));
    runtime.run()
}

/// The task that accepts.
async fn serve(listener: Async<TcpListener>, patience: Duration) -> io::Result<()> {
    loop {
        let (stream, _from) = listener.call(EVENT_READ, told::accept).await?;
        stream.set_nonblocking(true)?;
        let stream = Async::new(&listener.runtime, stream);
        listener.runtime.spawn(echo(stream, patience));
    }
}

/// The task of one client.
async fn echo(stream: Async<TcpStream>, patience: Duration) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = stream.call(EVENT_READ, |stream| told::read(stream, &mut buffer));
        // ANCHOR: patience
        // Too late: the read is dropped while it waits. It has moved no byte, so none is lost.
        let length = match timeout(&stream.runtime, patience, read).await {
            None | Some(Ok(0)) => return Ok(()),
            Some(length) => length?,
        };
        // ANCHOR_END: patience
        // As if the answer took some thought: a thread does the work, and the loop goes on.
        let question = buffer[..length].to_vec();
        let (done, answer) = oneshot::channel();
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(5));
            done.send(question)
        });
        let answer = answer.await.map_err(io::Error::other)?;
        sleep(&stream.runtime, Duration::from_millis(1)).await;
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

    // ANCHOR: call
    /// Makes a system call until it does not say WouldBlock, and sleeps in between. Its one state
    /// is what a drop takes back.
    async fn call<R, F>(&self, events: Events, mut make: F) -> io::Result<R>
    where
        F: FnMut(&T) -> io::Result<R>,
    {
        let mut waiting = None;
        poll_fn(|cx| match make(&self.socket) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                // Polled again on somebody else's account, such as a timer's: the last poll's key
                // goes first, and with it a waker that may be the wrong one by now.
                drop(waiting.take());
                waiting = Some(self.runtime.wait(self.socket.clone(), events, cx)?);
                Poll::Pending
            }
            done => Poll::Ready(done),
        })
        .await
    }
    // ANCHOR_END: call
}

// ANCHOR: timeout
/// Whichever comes first: the future, or the time. The other is dropped.
async fn timeout<F: Future>(runtime: &Runtime, limit: Duration, future: F) -> Option<F::Output> {
    let (mut future, mut sleep) = (pin!(future), pin!(sleep(runtime, limit)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}
// ANCHOR_END: timeout

// ANCHOR: drop
/// A key that somebody waits for. To drop it is to wait no longer.
struct Waiting<'a>(&'a Runtime, Token);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // A key that was reported is gone already, and a stale token says so.
        if self.0.selector.borrow_mut().unregister(self.1).is_ok() {
            told::changed(self.1.fd(), None);
        }
    }
}

/// A timer that somebody waits for. To drop it is to wait no longer.
struct Timer<'a>(&'a Runtime, (Instant, usize));

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.0.timers.borrow_mut().remove(&self.1);
    }
}
// ANCHOR_END: drop

/// Pending until its time has come.
async fn sleep(runtime: &Runtime, duration: Duration) {
    // The number makes two timers of one deadline two.
    let number = runtime.sleeps.replace(runtime.sleeps.get() + 1);
    let timer = Timer(runtime, (Instant::now() + duration, number));
    poll_fn(|cx| {
        if Instant::now() >= timer.1.0 {
            return Poll::Ready(());
        }
        let mut timers = runtime.timers.borrow_mut();
        timers.insert(timer.1, cx.waker().clone());
        told::timer_set(timer.1);
        Poll::Pending
    })
    .await;
}

type Task = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// What runs futures: a selector whose keys hold the waker of whoever waits.
struct Runtime {
    selector: RefCell<DefaultSelector<Rc<dyn AsFd>, Waker>>,
    /// A task keeps its place; one that is over leaves it empty.
    tasks: RefCell<Vec<Option<Task>>>,
    /// Behind a lock, because a waker may be called from any thread.
    queue: Arc<Mutex<VecDeque<usize>>>,
    /// The earliest first.
    timers: RefCell<BTreeMap<(Instant, usize), Waker>>,
    sleeps: Cell<usize>,
    /// Written to by wakers of other threads; its fd is watched like any other.
    notifier: Arc<Notifier>,
    notified: Token,
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
    fn wait(&self, fd: Rc<dyn AsFd>, events: Events, cx: &Context<'_>) -> io::Result<Waiting<'_>> {
        told::stored(&fd, events);
        let mut selector = self.selector.borrow_mut();
        let token = selector.register(fd, events, cx.waker().clone())?;
        Ok(Waiting(self, token))
    }

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

    fn spawn(&self, future: impl Future<Output = io::Result<()>> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.push(Some(Box::pin(future)));
        let mut queue = self.queue.lock().unwrap();
        queue.push_back(tasks.len() - 1);
        told::spawned(tasks.len() - 1, queue.len());
    }

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
