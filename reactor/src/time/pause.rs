//! The clock of a reactor that runs, stopped and moved by hand, for tests.

use std::time::Duration;

use crate::heart::shared::Shared;
use crate::timers::clock;

/// Stops the clock of this thread's reactor: from now on it moves by [`advance`], and by itself to the next
/// timer whenever nobody can run and nothing is ready. So a program that only sleeps takes no time, and
/// its timers end in their order.
///
/// Sockets, children and threads go on in real time, and so do the rests of this library between two
/// attempts: who waits for both, a timer and another thread, has its timer at once.
/// [`Instant::now`](std::time::Instant::now) is not ours; ask [`Reactor::now`](crate::Reactor::now).
///
/// # Panics
///
/// If this thread has entered no reactor, or one that plays a [script](crate::Builder::script), which has
/// the clock.
///
/// ```
/// use reactor::{Reactor, time};
/// use std::time::{Duration, Instant};
///
/// let started = Instant::now();
/// executor::block_on(async {
///     time::pause();
///     let start = Reactor::current().now();
///     time::sleep(Duration::from_secs(3600)).await;
///     assert_eq!(Reactor::current().now() - start, Duration::from_secs(3600));
/// })?;
/// assert!(started.elapsed() < Duration::from_secs(3600));
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn pause() {
    let reactor = Shared::current();
    assert!(
        reactor.clock.pause(),
        "the clock of a scripted reactor is moved by its script, and is not paused"
    );
    reactor.update_calm();
}

/// Lets a paused clock go on from where it stands.
///
/// # Panics
///
/// If this thread has entered no reactor, or its clock is not paused.
#[track_caller]
pub fn resume() {
    let reactor = Shared::current();
    assert!(reactor.clock.resume(), "{NOT_PAUSED}");
    reactor.update_calm();
}

/// Moves a paused clock, to its end at most, 146 years from its beginning, where every timer is due. Timers
/// that are due end in the next turn, in their order, and that is taken as soon as this task lets others
/// run; a task that wants to see what they do lets them run twice.
///
/// # Panics
///
/// As [`resume`].
///
/// ```
/// use reactor::time;
/// use std::time::Duration;
///
/// executor::block_on(async {
///     time::pause();
///     let mut pause = time::sleep(Duration::from_secs(60));
///     time::advance(Duration::from_secs(59));
///     assert!(!pause.is_elapsed());
///     time::advance(Duration::from_secs(1));
///     assert!(pause.is_elapsed());
///     time::resume();
///     pause.reset(Duration::from_millis(1));
///     pause.await;
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn advance(duration: Duration) {
    let reactor = Shared::current();
    let moved = reactor.clock.advance(clock::nanos(duration));
    assert!(moved, "{NOT_PAUSED}");
    reactor.attention.ask_for_a_turn();
}

const NOT_PAUSED: &str = "the clock runs: `pause` it first";
