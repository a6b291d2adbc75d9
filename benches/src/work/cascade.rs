//! A cascade: many fds are registered, each with a timer, then one byte runs through all of them.
//! What a server pays that opens many connections, hears each once and closes it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::channel::Channel;
use super::random::Random;
use super::{Facts, laps};
use crate::runtime::Runtime;

/// How large a cascade is, and for how long it is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Cascade {
    /// Links, each with an fd of its own and a timer.
    pub fds: usize,
    /// Of the timers' deadlines.
    pub seed: u64,
    /// For how long, in laps.
    pub duration: Duration,
}

/// The sockets of a lap. What is written into `first` comes out of the first link's end; link `n`
/// reads from its own and writes into that of the next; the last one's is read by nobody.
pub(crate) struct Chain {
    pub(crate) first: UnixStream,
    /// For each link where it reads, and where it writes.
    pub(crate) links: Vec<(UnixStream, UnixStream)>,
    /// The ends that nobody reads.
    _end: [UnixStream; 2],
    /// Registered last, and heard at once: everything before it is then registered, in runtimes
    /// too that tell the kernel only when they wait.
    pub(crate) sentinel: (UnixStream, UnixStream),
    pub(crate) sentinel_writer: UnixStream,
}

impl Chain {
    /// So many links.
    pub(crate) fn of(fds: usize) -> io::Result<Self> {
        let (mut from, first) = UnixStream::pair()?;
        let mut links = Vec::with_capacity(fds);
        for _ in 0..fds {
            let (next, to) = UnixStream::pair()?;
            links.push((std::mem::replace(&mut from, next), to));
        }
        let (heard, sentinel_writer) = UnixStream::pair()?;
        let (unheard, nowhere) = UnixStream::pair()?;
        Ok(Self {
            first,
            links,
            _end: [from, unheard],
            sentinel: (heard, nowhere),
            sentinel_writer,
        })
    }
}

/// Repeats the cascade. Tells microseconds in all, for registering (spawning a task, a first read
/// that finds nothing, a timer, and telling the kernel) and for the ripple (a wait, a read and a
/// write, a timer that is cancelled, and two sockets that are closed, for each link), and through
/// how many links the byte `passed`.
///
/// # Panics
///
/// When sockets cannot be made: a figure from a broken run is worth nothing.
pub fn cascade<R: Runtime>(asked: &Cascade) -> Facts {
    let told = Rc::new(RefCell::new(Facts::new()));
    let result = told.clone();
    let Cascade {
        fds,
        seed,
        duration,
    } = *asked;
    let mut random = Random(seed);
    R::run(async move {
        R::spawn(async move {
            let facts = laps(duration, async || {
                let chain = Chain::of(fds).expect("pairs of sockets");
                lap::<R>(chain, &mut random).await
            });
            let facts = facts.await;
            *told.borrow_mut() = facts;
        })
        .await;
    });
    result.take()
}

/// What a lap tells.
pub(crate) fn facts(registering: Duration, rippling: Duration, passed: usize) -> Facts {
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    vec![
        ("total_us", micros(registering + rippling)),
        ("register_us", micros(registering)),
        ("dispatch_us", micros(rippling)),
        ("passed", passed as f64),
    ]
}

async fn lap<R: Runtime>(chain: Chain, random: &mut Random) -> Facts {
    let (missing, passed) = (
        Rc::new(Missing::of(chain.links.len() + 1)),
        Rc::new(Cell::new(0)),
    );
    let mut links = Vec::with_capacity(chain.links.len());
    let begin = Instant::now();
    for (from, to) in chain.links {
        let link = link::<R>(from, to, random.idle_timeout(), missing.clone());
        let passed = passed.clone();
        links.push(R::spawn(async move {
            if link.await {
                passed.set(passed.get() + 1);
            }
        }));
    }
    let (from, to) = chain.sentinel;
    let last = link::<R>(from, to, random.idle_timeout(), missing.clone());
    let sentinel = R::spawn(async move {
        last.await;
    });
    // Not by stepping back: there are runtimes whose tasks that wake themselves run first.
    missing.none.receive().await;
    (&chain.sentinel_writer).write_all(&[1]).expect("a byte");
    sentinel.await;
    let registering = begin.elapsed();

    let begin = Instant::now();
    (&chain.first).write_all(&[1]).expect("a byte");
    for link in links {
        link.await;
    }
    facts(registering, begin.elapsed(), passed.get())
}

/// Links that have not been polled yet.
struct Missing {
    left: Cell<usize>,
    /// Is sent to when none is left.
    none: Channel,
}

impl Missing {
    fn of(count: usize) -> Self {
        Self {
            left: Cell::new(count),
            none: Channel::default(),
        }
    }

    fn one_less(&self) {
        self.left.set(self.left.get() - 1);
        if self.left.get() == 0 {
            self.none.send();
        }
    }
}

/// Passes one byte on, unless that takes longer than `timeout`; whether it did. It is no longer
/// missing once it has been polled.
async fn link<R: Runtime>(
    from: UnixStream,
    to: UnixStream,
    timeout: Duration,
    missing: Rc<Missing>,
) -> bool {
    let mut passing = pin!(R::relay(from, to, 1));
    let mut late = pin!(R::sleep(timeout));
    let mut first = true;
    poll_fn(|context| {
        // The task that waits for this runs after the poll that says it.
        if std::mem::replace(&mut first, false) {
            missing.one_less();
        }
        if let Poll::Ready(passed) = passing.as_mut().poll(context) {
            return Poll::Ready(passed.is_ok());
        }
        if late.as_mut().poll(context).is_ready() {
            return Poll::Ready(false);
        }
        Poll::Pending
    })
    .await
}
