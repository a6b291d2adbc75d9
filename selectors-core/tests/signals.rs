//! Rows S9, S11 and A11 with real signals. A process of its own: signal handlers and timers belong
//! to the whole process, so the tests take turns.
#![cfg(unix)]

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use selectors_core::{Backend, DefaultSelector, EVENT_READ, Error};

static TURN: Mutex<()> = Mutex::new(());
static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_signal: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Sends SIGALRM to this thread every few milliseconds, to a handler without SA_RESTART, until
/// dropped.
struct Alarms {
    timer: libc::timer_t,
    _turn: MutexGuard<'static, ()>,
}

impl Alarms {
    fn every(millis: i64) -> Alarms {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        SIGNALS.store(0, Ordering::Relaxed);
        // SAFETY: all zeros is a valid `sigaction`: no flags, an empty mask.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as libc::sighandler_t;
        // SAFETY: the handler only adds to an atomic, which is async-signal-safe.
        let set =
            unsafe { libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut()) };
        assert_eq!(set, 0);
        // SAFETY: all zeros is a valid `sigevent`.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGALRM;
        // SAFETY: takes no argument.
        event.sigev_notify_thread_id = unsafe { libc::gettid() };
        let mut timer = std::ptr::null_mut();
        // SAFETY: the kernel reads the event and writes the timer; both live.
        let made =
            unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) };
        assert_eq!(made, 0, "{}", io::Error::last_os_error());
        let period = libc::timespec {
            tv_sec: 0,
            tv_nsec: millis * 1_000_000,
        };
        let spec = libc::itimerspec {
            it_interval: period,
            it_value: period,
        };
        // SAFETY: the timer was made above; the kernel reads the specification.
        let armed = unsafe { libc::timer_settime(timer, 0, &raw const spec, std::ptr::null_mut()) };
        assert_eq!(armed, 0);
        Alarms { timer, _turn: turn }
    }
}

impl Drop for Alarms {
    fn drop(&mut self) {
        // SAFETY: made in `every`, deleted once.
        unsafe { libc::timer_delete(self.timer) };
    }
}

fn each_backend(test: impl Fn(DefaultSelector<UnixStream, ()>)) {
    for backend in Backend::available() {
        println!("{backend}");
        test(backend.selector().unwrap());
    }
}

#[test]
fn s9_signals_do_not_shorten_a_wait() {
    each_backend(|mut selector| {
        let (a, _b) = UnixStream::pair().unwrap();
        selector.register(a, EVENT_READ, ()).unwrap();
        let _alarms = Alarms::every(7);
        let timeout = Duration::from_millis(100);
        let start = Instant::now();
        assert_eq!(selector.select(&mut Vec::new(), Some(timeout)).unwrap(), 0);
        assert!(start.elapsed() >= timeout);
        assert!(SIGNALS.load(Ordering::Relaxed) > 0);
    });
}

#[test]
fn s9_a_wait_without_end_goes_on_after_signals() {
    each_backend(|mut selector| {
        let (a, b) = UnixStream::pair().unwrap();
        selector.register(a, EVENT_READ, ()).unwrap();
        let _alarms = Alarms::every(5);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while SIGNALS.load(Ordering::Relaxed) < 3 {
                    std::thread::yield_now();
                }
                io::Write::write_all(&mut &b, b"x").unwrap();
            });
            let mut ready = Vec::new();
            assert_eq!(selector.select(&mut ready, None).unwrap(), 1);
        });
        assert!(SIGNALS.load(Ordering::Relaxed) >= 3);
    });
}

#[test]
fn s11_the_interruptible_form_returns_at_the_first_signal() {
    each_backend(|mut selector| {
        let (a, _b) = UnixStream::pair().unwrap();
        selector.register(a, EVENT_READ, ()).unwrap();
        let _alarms = Alarms::every(5);
        let answer = selector.select_interruptible(&mut Vec::new(), None);
        assert!(matches!(answer, Err(Error::Interrupted)));
        let answer = selector.select_with(None, |_, _, _| {});
        assert_eq!(
            io::Error::from(answer.unwrap_err()).kind(),
            io::ErrorKind::Interrupted
        );
    });
}
