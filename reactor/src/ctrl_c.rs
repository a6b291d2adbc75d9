//! Ctrl-C, as an event of the loop (feature `signal`). It is the one signal that Windows has.
//!
//! The system calls a handler of ours on a thread that it makes for it, and that thread wakes the tasks
//! that wait.
//!
//! **Ctrl-C stays caught.** The first [`ctrl_c`] replaces the system's default for the rest of the
//! process: after it is done or dropped, Ctrl-C no longer ends the program; it is forgotten unless
//! another [`ctrl_c`] waits for it.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use selectors_core::sys::console::{CTRL_C_EVENT, set_console_ctrl_handler};

use crate::errno::tried;
use crate::heart::driven::Begun;
use crate::watch::foreign::contain;

/// Waits until somebody presses Ctrl-C.
///
/// The handler is installed by the first poll; dropping the future takes its interest back, but
/// not the handler, see the [module](self).
///
/// # Errors
///
/// What SetConsoleCtrlHandler() answers.
///
/// # Panics
///
/// If this thread has entered no reactor.
///
/// ```no_run
/// # async fn serve() {}
/// executor::block_on(async {
///     let server = executor::spawn(serve());
///     reactor::signal::ctrl_c().await?;
///     drop(server);
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn ctrl_c() -> impl Future<Output = io::Result<()>> {
    Begun::new(async move {
        let mut waiting = Waiter::begin().map_err(|error| tried("catch Ctrl-C", error))?;
        poll_fn(|cx| waiting.poll(cx)).await;
        Ok(())
    })
}

/// Who waits, and how often Ctrl-C has come.
static PRESSED: Mutex<Pressed> = Mutex::new(Pressed {
    is_caught: false,
    times: 0,
    arrived: 0,
    waiting: Vec::new(),
});

struct Pressed {
    is_caught: bool,
    times: u64,
    /// Gives everybody who waits a name of his own.
    arrived: u64,
    waiting: Vec<(u64, Waker)>,
}

fn pressed() -> MutexGuard<'static, Pressed> {
    PRESSED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Called on a thread of the system's.
extern "system" fn handler(event: u32) -> i32 {
    if event != CTRL_C_EVENT {
        return 0;
    }
    let mut state = pressed();
    state.times += 1;
    let waiting = std::mem::take(&mut state.waiting);
    // Wakers are not ours: they are called when nothing is locked, and no panic of theirs leaves.
    drop(state);
    for (_, waker) in waiting {
        contain(|| waker.wake());
    }
    1
}

/// One who waits for the next time.
struct Waiter {
    name: u64,
    since: u64,
}

impl Waiter {
    fn begin() -> io::Result<Waiter> {
        let mut state = pressed();
        if !state.is_caught {
            set_console_ctrl_handler(handler)?;
            state.is_caught = true;
        }
        state.arrived += 1;
        Ok(Waiter {
            name: state.arrived,
            since: state.times,
        })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut state = pressed();
        if state.times > self.since {
            return Poll::Ready(());
        }
        let before = take(&mut state, self.name);
        state.waiting.push((self.name, waker));
        // Dropping a waker runs code that is not ours.
        drop(state);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = pressed();
        let before = take(&mut state, self.name);
        drop(state);
        drop(before);
    }
}

fn take(state: &mut Pressed, name: u64) -> Option<Waker> {
    let place = state.waiting.iter().position(|(of, _)| *of == name)?;
    Some(state.waiting.swap_remove(place).1)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::Reactor;

    /// The test is the system, and calls the handler on a thread: no console is needed for it.
    #[test]
    fn ctrl_c_is_heard_by_everybody_who_waits_and_by_nobody_who_comes_later() {
        let reactor = Reactor::new().unwrap();
        let _entered = reactor.enter();
        let bell = reactor.notifier();
        let waker = Waker::from(std::sync::Arc::new(Bell(bell)));
        let mut cx = Context::from_waker(&waker);
        for _ in 0..3 {
            let mut given_up = Box::pin(ctrl_c());
            assert!(given_up.as_mut().poll(&mut cx).is_pending());
            drop(given_up);
            let (mut first, mut second) = (pin!(ctrl_c()), pin!(ctrl_c()));
            assert!(first.as_mut().poll(&mut cx).is_pending());
            assert!(second.as_mut().poll(&mut cx).is_pending());
            let presses = thread::spawn(|| {
                thread::sleep(Duration::from_millis(20));
                // CTRL_BREAK_EVENT is not ours.
                assert_eq!((handler(1), handler(CTRL_C_EVENT)), (0, 1));
            });
            reactor.turn(None).unwrap();
            presses.join().unwrap();
            for waits in [first, second] {
                assert!(matches!(waits.poll(&mut cx), Poll::Ready(Ok(()))));
            }
            assert!(pin!(ctrl_c()).poll(&mut cx).is_pending());
        }
        assert!(pressed().waiting.is_empty());
    }

    /// A waker that ends the wait of the reactor.
    struct Bell(selectors_core::NotifyHandle);

    impl std::task::Wake for Bell {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.notify().unwrap();
        }
    }
}
