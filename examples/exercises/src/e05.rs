//! The judge of exercise 5: a conformance suite for whatever waits for fds. A test runs it on the
//! selector of `selectors-core`, too.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::pthread::{pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use selectors_core::{EVENT_READ, EVENT_WRITE, Events};
use signal_hook::consts::SIGUSR1;

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
    why: &'static str,
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
            let twice = "Each key once, with all that holds for it";
            let why = if found.len() > 1 { twice } else { case.why };
            format!(
                "{}: it should report {right:?}, and reports {found:?}. {why}",
                case.words
            )
        })?;
    }
    all_at_once::<S>(fds)?;
    never_early::<S>(fds)?;
    waits_for_bytes::<S>(fds)?;
    goes_on_after_a_signal::<S>(fds)
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
    const ASK: &str = "Who asks for READ is asked for with POLLIN, who asks for WRITE with POLLOUT; the answer is in `revents`";
    const ONLY: &str = "Report what holds AND was asked for, not all that was asked for";
    const UNASKED: &str = "HUP and ERR come unasked: for whoever asked, a call would not block";
    let case = |words, fd, events, right, why| Case { words, fd, events, right, why };
    [
        case("bytes have come, and somebody asks for READ", fds.told.as_fd(), EVENT_READ, Some(EVENT_READ), ASK),
        case("nothing has come, and somebody asks for READ", fds.quiet.as_fd(), EVENT_READ, None, ONLY),
        case("there is room, and somebody asks for WRITE", fds.quiet.as_fd(), EVENT_WRITE, Some(EVENT_WRITE), ASK),
        case("there is room, nothing has come, and somebody asks for both", fds.quiet.as_fd(), BOTH, Some(EVENT_WRITE), ONLY),
        case("bytes have come and there is room, but only READ was asked for", fds.told.as_fd(), EVENT_READ, Some(EVENT_READ), ONLY),
        case("bytes have come, there is room, and both were asked for", fds.told.as_fd(), BOTH, Some(BOTH), ASK),
        case("the peer has gone: a read would answer 0 at once", fds.left.as_fd(), EVENT_READ, Some(EVENT_READ), UNASKED),
        case("a pipe whose writer has gone: the kernel says HUP alone, and a read would answer 0", fds.hung_up.as_fd(), EVENT_READ, Some(EVENT_READ), UNASKED),
        case("a pipe whose reader has gone: the kernel says ERR, and a write would fail at once", fds.broken.as_fd(), EVENT_WRITE, Some(EVENT_WRITE), UNASKED),
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
    // On a busy machine even a wait that is too short may end late: often, but not every time.
    let short = [Duration::from_micros(1500); 50];
    for timeout in short.into_iter().chain([Duration::from_millis(20)]) {
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

/// Signals that come every few milliseconds, until nobody waits any more or they have all come.
const SIGNALS: usize = 600;
const BETWEEN_SIGNALS: Duration = Duration::from_millis(5);
/// Timeouts from 30 ms to a second: on a busy machine signals may not come when they should, and then nothing
/// has been shown.
const TIMEOUTS: u32 = 6;
/// So many signals have to come within the timeout. One is not enough: between the end of the call and the
/// look at the clock it may come as well, if the thread is kept from its CPU there.
const ENOUGH_SIGNALS: usize = 3;
/// The handler is of the process, and of several judges each shall see its own signals.
static ALONE: Mutex<()> = Mutex::new(());

fn goes_on_after_a_signal<'fd, S: Waits<'fd>>(fds: &'fd Fds) -> Judged {
    // The bytes of the situation before this one would answer at once.
    let mut near = fds.quiet.try_clone().map_err(failed("making sockets"))?;
    near.read_exact(&mut [0; 7]).map_err(failed("reading"))?;
    let mut selector = S::default();
    selector.register(fds.quiet.as_fd(), EVENT_READ);
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A handler that only notes the signal: enough for the kernel to end the call.
    let noted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGUSR1, Arc::clone(&noted))
        .map_err(failed("a handler for a signal"))?;
    for attempt in 0..TIMEOUTS {
        let timeout = BETWEEN_SIGNALS * 6 * 2_u32.pow(attempt);
        let (waited, since_signals) = interrupted(&mut selector, timeout, &noted)?;
        // Who begins anew after each signal gives up only when none has come for so long.
        if since_signals.is_some_and(|since| since < timeout) {
            return Ok(());
        }
        if waited > BETWEEN_SIGNALS * SIGNALS as u32 {
            break;
        }
    }
    Err(Wrong::new(format!(
        "a signal every {BETWEEN_SIGNALS:?}, and a timeout of {:?} and more: it returned only when no \
         signal had come for so long. Ask again for the time that is left, and not for all of it: who \
         does that never gives up while signals come",
        BETWEEN_SIGNALS * 6
    )))
}

/// Waits for nothing, while signals come. The answer is for how long, and how long before its end the
/// last few signals began to come.
fn interrupted<'fd>(
    selector: &mut impl Waits<'fd>,
    timeout: Duration,
    noted: &Arc<AtomicBool>,
) -> Result<(Duration, Option<Duration>), Wrong> {
    let (waiting, this) = (Arc::new(AtomicBool::new(true)), pthread_self());
    let (still, noted) = (Arc::clone(&waiting), Arc::clone(noted));
    let signaller = thread::spawn(move || {
        let is_waiting = || still.load(Ordering::SeqCst);
        let mut came = Vec::new();
        for _ in 0..SIGNALS {
            thread::sleep(BETWEEN_SIGNALS);
            let sent = Instant::now();
            noted.store(false, Ordering::SeqCst);
            // The thread that waits joins this one: it is still there.
            let _ = pthread_kill(this, Signal::SIGUSR1);
            while is_waiting() && !noted.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            if !is_waiting() {
                break;
            }
            came.push(sent);
        }
        came
    });
    let began = Instant::now();
    let answer = selector.select(Some(timeout));
    let ended = Instant::now();
    let waited = ended - began;
    waiting.store(false, Ordering::SeqCst);
    let came = signaller
        .join()
        .map_err(|_| Wrong::new("the signaller panicked"))?;
    let found = answer.map_err(|error| {
        Wrong::new(format!(
            "a signal came while it waited, and it returned the error {error:?}. That is no news for \
             whoever waits for bytes: ask again"
        ))
    })?;
    demand(found.is_empty() && waited >= timeout, || {
        format!(
            "signals come, but no bytes, for {timeout:?}: it returned {found:?} after {waited:?}. Ask \
             again after a signal, for the time that is left"
        )
    })?;
    let first = came.iter().nth_back(ENOUGH_SIGNALS - 1);
    Ok((
        waited,
        first.map(|sent| ended.saturating_duration_since(*sent)),
    ))
}
