//! The judge of exercise 5: a conformance suite for whatever waits for fds. A test runs it on the
//! selector of `selectors-core`, too.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use selectors_core::{EVENT_READ, EVENT_WRITE, Events};

use crate::verdict::{demand, failed};
use crate::{Judged, Wrong};

/// What a selector does, in three verbs.
pub trait Waits<'fd>: Default {
    /// Watches an fd that is not watched yet.
    fn register(&mut self, fd: BorrowedFd<'fd>, events: Events);
    /// Watches it no more.
    fn unregister(&mut self, fd: RawFd);
    /// Waits until a key is ready or the time is over (`None`: as long as it takes), and reports
    /// each key that is ready once.
    ///
    /// # Errors
    ///
    /// The answer of the kernel.
    fn select(&mut self, timeout: Option<Duration>) -> io::Result<Vec<(RawFd, Events)>>;
}

const NOW: Option<Duration> = Some(Duration::ZERO);
const BOTH: Events = Events::READ_WRITE;

/// A situation, and what has to be reported in it.
struct Case<'fd> {
    words: &'static str,
    fd: BorrowedFd<'fd>,
    events: Events,
    right: Option<Events>,
}

/// Tries one situation after another.
///
/// # Errors
///
/// The first in which something else is reported, and why it matters.
pub fn judge<'fd, S: Waits<'fd>>() -> Judged {
    // A selector borrows what it watches for as long as the type says; a few fds may stay open.
    let fds = Box::leak(Box::new(Fds::new().map_err(failed("making sockets"))?));
    for case in cases(fds) {
        let mut selector = S::default();
        selector.register(case.fd, case.events);
        let found = selector.select(NOW).map_err(failed("select"))?;
        let right: Vec<_> = case
            .right
            .map(|events| (case.fd.as_raw_fd(), events))
            .into_iter()
            .collect();
        demand(found == right, || {
            format!(
                "{}: it should report {right:?}, and reports {found:?}",
                case.words
            )
        })?;
    }
    all_at_once::<S>(fds)?;
    never_early::<S>(fds)?;
    waits_for_bytes::<S>(fds)
}

/// Sockets and pipes in every state.
struct Fds {
    quiet: UnixStream,
    told: UnixStream,
    /// Its peer has gone.
    left: UnixStream,
    /// A pipe whose writer has gone: the kernel says HUP, and nothing else.
    hung_up: io::PipeReader,
    /// A pipe whose reader has gone: the kernel says ERR.
    broken: io::PipeWriter,
    far: [UnixStream; 2],
}

impl Fds {
    fn new() -> io::Result<Fds> {
        let (quiet, far) = UnixStream::pair()?;
        let (told, mut teller) = UnixStream::pair()?;
        teller.write_all(b"bytes")?;
        let (left, _) = UnixStream::pair()?;
        let (hung_up, _) = io::pipe()?;
        let (_, broken) = io::pipe()?;
        let far = [far, teller];
        Ok(Fds {
            quiet,
            told,
            left,
            hung_up,
            broken,
            far,
        })
    }
}

#[rustfmt::skip]
fn cases(fds: &Fds) -> [Case<'_>; 9] {
    let case = |words, fd, events, right| Case { words, fd, events, right };
    [
        case("bytes have come, and somebody asks for READ", fds.told.as_fd(), EVENT_READ, Some(EVENT_READ)),
        case("nothing has come, and somebody asks for READ", fds.quiet.as_fd(), EVENT_READ, None),
        case("there is room, and somebody asks for WRITE", fds.quiet.as_fd(), EVENT_WRITE, Some(EVENT_WRITE)),
        case("there is room, nothing has come, and somebody asks for both", fds.quiet.as_fd(), BOTH, Some(EVENT_WRITE)),
        case("bytes have come and there is room, but only READ was asked for", fds.told.as_fd(), EVENT_READ, Some(EVENT_READ)),
        case("bytes have come, there is room, and both were asked for", fds.told.as_fd(), BOTH, Some(BOTH)),
        case("the peer has gone: a read would answer 0 at once", fds.left.as_fd(), EVENT_READ, Some(EVENT_READ)),
        case("a pipe whose writer has gone: the kernel says HUP alone, and a read would answer 0", fds.hung_up.as_fd(), EVENT_READ, Some(EVENT_READ)),
        case("a pipe whose reader has gone: the kernel says ERR, and a write would fail at once", fds.broken.as_fd(), EVENT_WRITE, Some(EVENT_WRITE)),
    ]
}

fn all_at_once<'fd, S: Waits<'fd>>(fds: &'fd Fds) -> Judged {
    let mut selector = S::default();
    selector.register(fds.told.as_fd(), EVENT_READ);
    selector.register(fds.quiet.as_fd(), EVENT_READ);
    selector.register(fds.left.as_fd(), EVENT_READ);
    selector.unregister(fds.told.as_raw_fd());
    let found = selector.select(NOW).map_err(failed("select"))?;
    demand(found == [(fds.left.as_raw_fd(), EVENT_READ)], || {
        format!(
            "three keys, of which one is ready, one is not, and one was unregistered: it reports \
             {found:?}"
        )
    })
}

fn never_early<'fd, S: Waits<'fd>>(fds: &'fd Fds) -> Judged {
    let mut selector = S::default();
    selector.register(fds.quiet.as_fd(), EVENT_READ);
    for timeout in [Duration::from_micros(1500), Duration::from_millis(20)] {
        let began = Instant::now();
        let found = selector.select(Some(timeout)).map_err(failed("select"))?;
        let waited = began.elapsed();
        demand(found.is_empty() && waited >= timeout, || {
            format!(
                "nothing comes for {timeout:?}: it returned {found:?} after {waited:?}. A timeout \
                 that fires early makes its caller ask again and again"
            )
        })?;
    }
    Ok(())
}

fn waits_for_bytes<'fd, S: Waits<'fd>>(fds: &'fd Fds) -> Judged {
    let mut selector = S::default();
    selector.register(fds.quiet.as_fd(), EVENT_READ);
    let mut far = fds.far[0].try_clone().map_err(failed("making sockets"))?;
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        far.write_all(b"at last")
    });
    let found = selector.select(None).map_err(failed("select"))?;
    demand(found == [(fds.quiet.as_raw_fd(), EVENT_READ)], || {
        format!("without a timeout it waits until bytes come; it returned {found:?}")
    })?;
    match sender.join() {
        Ok(sent) => sent.map_err(failed("sending")),
        Err(_) => Err(Wrong::new("the sender panicked")),
    }
}
