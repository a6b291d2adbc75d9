//! Level mode: conditions that last, and that the awaited call does not clear.
//!
//! poll(2), select(2) and level-triggered epoll report an error or a hang-up in every wait, asked
//! or not, and select calls it READ. A socket whose error queue nobody reads is one that a `recv`
//! cannot clear: it says WouldBlock, waits, is woken at once, and the loop turns for nothing as
//! fast as it can. By edge this cannot happen.
//!
//! So every 32nd WouldBlock of a key is doubted. If somebody waits for it again, the kernel is asked
//! what it has: if something, but none of what is waited for, the key rests, parked, and is armed
//! again 10 ms later. A key that has rested is doubted at its next WouldBlock.

use std::time::Duration;

use selectors_core::os::RawFd;
use selectors_core::{Events, Readiness, Token, poll_now};

use crate::heart::slot::Key;
use crate::heart::slot::Slot;
use crate::heart::source::Source;

/// How long a key rests. It is also how late a reader of such an fd may be.
const REST: Duration = Duration::from_millis(10);

/// Of how many calls that said WouldBlock the last is doubted; a power of two, not above 64.
const DOUBTED: u8 = 32;

impl Slot {
    /// Is its last WouldBlock to be doubted?
    pub(crate) fn is_suspicious(&self) -> bool {
        self.refusals() % DOUBTED == DOUBTED - 1
    }
}

/// The keys that are at rest, and until when.
#[derive(Default)]
pub(crate) struct Resting(Vec<(Token, u64)>);

impl Resting {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the first is to be looked at again.
    pub(crate) fn first(&self) -> Option<u64> {
        self.0.iter().map(|(_, until)| *until).min()
    }

    /// The keys that have rested enough: their interest is to be told to the kernel.
    pub(crate) fn get_up(&mut self, now: u64, dirty: &mut Vec<RawFd>) {
        self.0.retain(|(token, until)| {
            if *until <= now {
                dirty.push(token.fd());
            }
            *until > now
        });
    }

    /// The interest to tell the kernel for this key, whose waiters want `want`.
    pub(crate) fn unless_at_rest(
        &mut self,
        token: Token,
        key: &Key,
        want: Option<Events>,
        now: impl FnOnce() -> u64,
    ) -> Option<Events> {
        let events = want?;
        if self.0.iter().any(|(resting, _)| *resting == token) {
            return None;
        }
        if !key.data.is_suspicious() {
            return want;
        }
        if lasts(&key.fileobj, events) {
            self.0.push((token, now() + REST.as_nanos() as u64));
            // The next one is doubted too.
            key.data.discount_refusal();
            None
        } else {
            key.data.count_refusal();
            want
        }
    }
}

/// Does the kernel report something that is none of these directions?
fn lasts(fd: &Source, events: Events) -> bool {
    let wanted = Readiness::from(events);
    poll_now(fd, wanted).is_ok_and(|now| !now.is_empty() && now.bits() & wanted.bits() == 0)
}
