//! Step 11 of 12: to drop a future is to cancel it. What it left behind, it takes back.
//!
//! ```text
//! cargo run --example s11_cancel                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what is cancellation, and what can it lose?

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::env;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use examples::told;
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Event, Events, Notifier, Token};

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let runtime = Runtime::new()?;
    told::begin(runtime.selector.borrow().backend().name())?;
    // How long a silent client may stay, in milliseconds.
    let patience = env::args().nth(2).and_then(|text| text.parse().ok());
    let patience = Duration::from_millis(patience.unwrap_or(60_000));
    runtime.spawn(serve(Rc::clone(&runtime), address, patience));
    runtime.run()
}

async fn serve(runtime: Rc<Runtime>, address: String, patience: Duration) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let listener = Async::new(&runtime, listener);
    loop {
        let (stream, _from) = listener.call(EVENT_READ, told::accept).await?;
        stream.set_nonblocking(true)?;
        let stream = Async::new(&runtime, stream);
        runtime.spawn(echo(Rc::clone(&runtime), stream, patience));
    }
}

async fn echo(
    runtime: Rc<Runtime>,
    stream: Async<TcpStream>,
    patience: Duration,
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = stream.call(EVENT_READ, |stream| told::read(stream, &mut buffer));
        // Too late: the read is dropped while it waits. It has moved no byte, so none is lost.
        let length = match timeout(&runtime, patience, read).await {
            None | Some(Ok(0)) => return Ok(()),
            Some(length) => length?,
        };
        // As if the answer took some thought: a thread does the work, and the loop goes on.
        let question = buffer[..length].to_vec();
        let answer = on_thread(move || question).await;
        sleep(&runtime, Duration::from_millis(1)).await;
        let mut unsent = &answer[..];
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
                        token: None,
                    }
                    .await?;
                }
                done => return done,
            }
        }
    }
}

/// The one future of I/O that is written by hand: Pending until its key was reported.
struct Ready<'a> {
    runtime: &'a Runtime,
    /// Taken when it registers.
    fd: Option<Rc<dyn AsFd>>,
    events: Events,
    /// The name of the key while it waits.
    token: Option<Token>,
}

impl Future for Ready<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut selector = self.runtime.selector.borrow_mut();
        if let Some(fd) = self.fd.take() {
            told::stored(&fd, self.events);
            self.token = Some(selector.register(fd, self.events, cx.waker().clone())?);
            return Poll::Pending;
        }
        // Polled on somebody else's account, such as a timer's: the key is still there, and the
        // waker of the last poll is the one that counts.
        match self.token.and_then(|token| selector.data_mut(token)) {
            Some(waker) => waker.clone_from(cx.waker()),
            None => return Poll::Ready(Ok(())),
        }
        Poll::Pending
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if let Some(token) = self.token {
            // A key that was reported is gone already, and a stale token says so.
            let key = self.runtime.selector.borrow_mut().unregister(token);
            if key.is_ok() {
                told::changed(token.fd(), None);
            }
        }
    }
}

/// Whichever comes first: the future, or the time. The other is dropped.
async fn timeout<F: Future>(runtime: &Runtime, limit: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = sleep(runtime, limit);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Pin::new(&mut sleep).poll(cx).map(|()| None),
    })
    .await
}

/// Runs `job` on a thread of its own; its end wakes the task.
async fn on_thread<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    let shared = Arc::new(Mutex::new((None, None::<Waker>)));
    let theirs = Arc::clone(&shared);
    let mut job = Some(job);
    poll_fn(move |cx| {
        let mut ours = shared.lock().unwrap();
        if let Some(done) = ours.0.take() {
            return Poll::Ready(done);
        }
        // Stored before the thread begins, so that its wake finds it.
        ours.1 = Some(cx.waker().clone());
        if let Some(job) = job.take() {
            let theirs = Arc::clone(&theirs);
            thread::spawn(move || {
                let done = job();
                let mut theirs = theirs.lock().unwrap();
                theirs.0 = Some(done);
                let waker = theirs.1.take();
                // The lock is given back first: a waker may do anything.
                drop(theirs);
                waker.into_iter().for_each(Waker::wake);
            });
        }
        Poll::Pending
    })
    .await
}

/// Pending until its time has come.
struct Sleep<'a> {
    runtime: &'a Runtime,
    deadline: Instant,
    /// Makes two timers of one deadline two.
    number: usize,
}

fn sleep(runtime: &Runtime, duration: Duration) -> Sleep<'_> {
    Sleep {
        runtime,
        deadline: Instant::now() + duration,
        number: runtime.sleeps.replace(runtime.sleeps.get() + 1),
    }
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.deadline {
            return Poll::Ready(());
        }
        let timer = (self.deadline, self.number);
        let mut timers = self.runtime.timers.borrow_mut();
        timers.insert(timer, cx.waker().clone());
        told::timer_set(self.number, self.deadline - self.runtime.epoch);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let timer = (self.deadline, self.number);
        self.runtime.timers.borrow_mut().remove(&timer);
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
    /// The earliest first.
    timers: RefCell<BTreeMap<(Instant, usize), Waker>>,
    sleeps: Cell<usize>,
    /// When all began, for the trace.
    epoch: Instant,
    /// Written to by wakers of other threads: its fd is watched like any other.
    notifier: Arc<Notifier>,
    notified: Token,
}

impl Runtime {
    fn new() -> io::Result<Rc<Self>> {
        let notifier = Arc::new(Notifier::new()?);
        let mut selector = DefaultSelector::new()?;
        let fd: Rc<dyn AsFd> = Rc::new(Bell(Arc::clone(&notifier)));
        let notified = selector.register(fd, EVENT_READ, Waker::noop().clone())?;
        Ok(Rc::new(Runtime {
            selector: RefCell::new(selector),
            timers: RefCell::default(),
            sleeps: Cell::new(0),
            epoch: Instant::now(),
            notifier,
            notified,
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
                self.turn(&mut ready)?;
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
                Poll::Ready(Err(error)) => println!("task {number}: {error}"),
            }
        }
    }

    /// A wake is a number at the end of a queue, and from another thread the end of our sleep.
    fn waker(&self, number: usize) -> Waker {
        let queue = Arc::clone(&self.queue);
        let notifier = Arc::clone(&self.notifier);
        let home = thread::current().id();
        waker_fn::waker_fn(move || {
            // Queued first: whoever is woken by the notifier finds it.
            let mut queue = queue.lock().unwrap();
            queue.push_back(number);
            told::woken(number, queue.len());
            drop(queue);
            if thread::current().id() != home {
                // It fails only if the fd is taken away from us.
                let _ = notifier.notify();
            }
        })
    }

    /// Sleeps until a key is ready, a timer is due, or somebody notifies.
    fn turn(&self, ready: &mut Vec<Event>) -> io::Result<()> {
        // No fd for time: the earliest deadline is the timeout.
        let next = self.timers.borrow().keys().next().copied();
        let timeout = next.map(|(due, _)| due.saturating_duration_since(Instant::now()));
        told::asleep(self.selector.borrow().get_map().len() - 1, timeout);
        self.selector.borrow_mut().select(ready, timeout)?;
        let notified = ready.iter().position(|event| event.token == self.notified);
        if let Some(place) = notified {
            ready.remove(place);
            self.notifier.clear()?;
        }
        told::ready(ready);
        if notified.is_some() {
            told::notified();
        }
        for event in ready {
            let key = self.selector.borrow_mut().unregister(event.token)?;
            told::changed(key.fd, None);
            key.data.wake();
        }
        let now = Instant::now();
        loop {
            let mut timers = self.timers.borrow_mut();
            match timers.first_entry().filter(|timer| timer.key().0 <= now) {
                Some(due) => {
                    told::timer_fired(due.key().1);
                    due.remove().wake();
                }
                None => return Ok(()),
            }
        }
    }
}

/// Lets the selector own a share of the notifier.
struct Bell(Arc<Notifier>);

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
