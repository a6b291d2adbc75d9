//! Level mode: conditions that last, and that the awaited call does not clear.
//!
//! poll(2), select(2) and level-triggered epoll report an error or a hang-up in every wait, asked
//! or not, and select calls it READ. A socket whose error queue nobody reads is one that a `recv`
//! cannot clear: it says WouldBlock, waits, is woken at once, and the loop turns for nothing as
//! fast as it can. So it does where the kernel contradicts itself, and poll(2) says yes where the call
//! says WouldBlock: a datagram socket that was shut down for reading, a peek beyond `SO_PEEK_OFF`. And so
//! it does for a closure that says WouldBlock for reasons of its own. By edge none of this can happen:
//! what does not change is not reported.
//!
//! So after 31 calls of a key that said WouldBlock the last one is doubted. If somebody waits for it
//! again, the kernel is [asked](Question) what it has. If that is nothing of what is waited for, or if
//! it is, but all of those calls were closures, or of those who had been woken for it, without a success
//! in between, the key rests, parked, and is armed again 10 ms later. After a key has rested, its next
//! WouldBlock is doubted.
//!
//! The other way round, select(2) does not tell a writer of a hang-up: there, a key that somebody waits
//! to write to is asked for it after 10 ms, then each time after twice as long, up to 640 ms, while
//! nothing else happens to it: so late he may hear of it, and a peer that never reads costs next to
//! nothing.

use std::mem;
use std::rc::Rc;
use std::time::Duration;

use selectors_core::os::RawFd;
use selectors_core::{Events, Readiness, Token, poll_now};

use crate::heart::pollable::Pollable;
use crate::heart::slot::{Key, Slot};
use crate::watch::foreign::contain;

/// How long a key rests. It is also how late a reader of such an fd may be.
const REST: u64 = Duration::from_millis(10).as_nanos() as u64;
/// As long as a writer goes without being asked for.
const LONGEST: u64 = 64 * REST;

/// The keys that are to be looked at again, and when.
#[derive(Default)]
pub(crate) struct Resting {
    /// At rest until then.
    resting: Vec<(Token, u64)>,
    /// Writers that are to be asked for a hang-up, in the order of their fds.
    writers: Vec<Writer>,
    /// When they were looked at last.
    looked: u64,
    /// This is select(2), which does not tell of one.
    tells_no_hang_up: bool,
    /// May one of the lists have anything in it? All else is asked after this only.
    pub(crate) is_busy: bool,
}

/// A key that somebody waits to write to.
struct Writer {
    token: Token,
    /// When it is to be asked.
    until: u64,
    /// For how long it was left alone before.
    rest: u64,
    /// It has just been, and its interest is looked at for that.
    was_asked: bool,
}

/// What becomes of the interest of a key.
pub(super) enum Verdict {
    /// The kernel is told this.
    Tell(Option<Events>),
    /// First, this has to be asked, when nothing is borrowed.
    Ask(Question),
}

/// What the kernel is to be asked about a key. It is by way of the source, whose `as_fd` is not our code.
pub(super) struct Question {
    token: Token,
    source: Pollable,
    pub(super) slot: Rc<Slot>,
    wanted: Events,
    doubted: bool,
}

/// What there is to be done about its answer.
pub(super) enum Answer {
    /// Nothing holds but what its waiters wait for, if that.
    Nothing,
    /// The condition lasts, and helps nobody.
    Lasts,
    /// There is a hang-up or an error, of which the kernel does not tell by itself.
    HungUp,
}

impl Resting {
    pub(crate) fn new(tells_no_hang_up: bool) -> Self {
        Resting {
            tells_no_hang_up,
            is_busy: tells_no_hang_up,
            ..Resting::default()
        }
    }

    /// When the first is to be looked at again.
    pub(super) fn first(&self) -> Option<u64> {
        let writers = self.writers.iter().map(|writer| writer.until);
        let resting = self.resting.iter().map(|(_, until)| *until);
        resting.chain(writers).min()
    }

    /// The keys whose time has come: their interest is to be looked at.
    pub(super) fn get_up(&mut self, now: u64, dirty: &mut Vec<RawFd>) {
        self.resting.retain(|(token, until)| {
            if *until <= now {
                dirty.push(token.fd());
            }
            *until > now
        });
        self.looked = now;
        let due = self.writers.iter().filter(|writer| writer.until <= now);
        dirty.extend(due.map(|writer| writer.token.fd()));
    }

    /// All interest was looked at.
    pub(super) fn lie_down(&mut self) {
        // Who was due and was not asked waits no more.
        self.writers.retain(|writer| writer.until > self.looked);
        self.is_busy = self.tells_no_hang_up || !self.resting.is_empty();
    }

    /// What to do about this key, whose waiters want `want`.
    pub(super) fn judge(
        &mut self,
        token: Token,
        key: &Key,
        want: Option<Events>,
        now: impl FnOnce() -> u64,
    ) -> Verdict {
        let Some(wanted) = want else {
            return Verdict::Tell(None);
        };
        if self.resting.iter().any(|(resting, _)| *resting == token) {
            return Verdict::Tell(None);
        }
        let doubted = key.data.is_suspicious();
        if doubted || self.tells_no_hang_up && wanted.is_writable() && self.is_due(token, now) {
            return Verdict::Ask(Question {
                token,
                source: key.fileobj.clone(),
                slot: Rc::clone(&key.data),
                wanted,
                doubted,
            });
        }
        Verdict::Tell(want)
    }

    /// Is this writer to be asked now? If not, it will be.
    fn is_due(&mut self, token: Token, now: impl FnOnce() -> u64) -> bool {
        let place = self
            .writers
            .binary_search_by_key(&token.fd(), |writer| writer.token.fd());
        let new = |until| Writer {
            token,
            until,
            rest: REST,
            was_asked: false,
        };
        match place.map(|place| &mut self.writers[place]) {
            Ok(writer) if writer.token != token => *writer = new(now() + REST),
            Ok(writer) if writer.until <= self.looked => {
                writer.rest = LONGEST.min(2 * writer.rest);
                writer.until = now() + writer.rest;
                writer.was_asked = true;
                return true;
            }
            Ok(writer) => {
                // If something else has changed, he may have written meanwhile.
                if !mem::take(&mut writer.was_asked) && writer.rest != REST {
                    *writer = new(writer.until.min(now() + REST));
                }
            }
            Err(place) => self.writers.insert(place, new(now() + REST)),
        }
        false
    }

    /// A key that lasts is parked for a while.
    pub(super) fn rest(&mut self, token: Token, now: u64) {
        self.resting.push((token, now + REST));
        self.is_busy = true;
    }
}

impl Question {
    pub(super) fn token(&self) -> Token {
        self.token
    }

    /// Asks it. A panic of the source's is one of nobody who could be told, and says nothing.
    pub(super) fn ask(&self) -> Answer {
        let wanted = Readiness::from(self.wanted);
        let now = contain(|| poll_now(&self.source, wanted));
        let now = now.and_then(Result::ok).unwrap_or(Readiness::EMPTY);
        let slot = &self.slot;
        if !self.doubted {
            let ended = Readiness::ERROR | Readiness::HANGUP;
            return match now.bits() & ended.bits() {
                0 => Answer::Nothing,
                _ => Answer::HungUp,
            };
        }
        if !slot.is_suspicious() {
            // The number was there twice, and this was answered the first time.
            return Answer::Nothing;
        }
        let is_wanted = now.bits() & wanted.bits() != 0;
        if !now.is_empty() && (!is_wanted || slot.may_last()) {
            slot.discount_refusal();
            Answer::Lasts
        } else {
            slot.forget_refusals();
            Answer::Nothing
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io;
    use std::os::unix::net::UnixStream;

    use selectors_core::Backend;
    use selectors_core::os::errno;

    use super::*;
    use crate::fd::async_fd::Async;
    use crate::heart::reactor::Reactor;
    use crate::watch::call::Call;
    use crate::watch::direction::Direction;

    /// A number may be noted twice, by an event and because its time has come.
    #[test]
    fn what_is_asked_twice_counts_once() -> io::Result<()> {
        let reactor = Reactor::builder().backend(Backend::Poll).build()?;
        let _entered = reactor.enter();
        let (near, _far) = UnixStream::pair()?;
        let near = Async::nonblocking(near)?;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(near.poll_readable(&mut context).is_pending());
        let slot = &near.slot;
        let (token, source) = {
            let selector = reactor.shared.selector.borrow();
            let (token, key) = selector.get_map().get_by_fd(slot.fd()).expect("it waits");
            (token, key.fileobj.clone())
        };
        let question = || Question {
            token,
            source: source.clone(),
            slot: Rc::clone(slot),
            wanted: Events::WRITE,
            doubted: slot.is_suspicious(),
        };
        while !slot.is_suspicious() {
            slot.count_refusal(Call::Send, false);
        }
        for question in [question(), question()] {
            assert!(matches!(question.ask(), Answer::Nothing));
            assert!(slot.is_registered() && !slot.is_suspicious());
        }
        Ok(())
    }

    /// Who writes a part each time that he is woken has not been woken for nothing.
    #[test]
    fn only_calls_for_nothing_tell_of_what_lasts() -> io::Result<()> {
        let reactor = Reactor::builder().backend(Backend::Poll).build()?;
        let _entered = reactor.enter();
        let (near, _far) = UnixStream::pair()?;
        let near = Async::nonblocking(near)?;
        let refuse = |id, error: io::Error| {
            let refused = near.refused(Call::Send, Direction::Write, id, error);
            assert!(refused.is_none());
        };
        let errno = || io::Error::from_raw_os_error(errno::EWOULDBLOCK);
        let after = |id, error: &dyn Fn() -> io::Error| {
            near.slot.forget_refusals();
            refuse(id, error());
            (0..30).for_each(|_| refuse(1, errno()));
            assert!(near.slot.is_suspicious());
            near.slot.may_last()
        };
        assert!(after(1, &errno));
        assert!(!after(0, &errno), "a first try");
        assert!(
            !after(1, &|| io::ErrorKind::WouldBlock.into()),
            "a short write"
        );
        Ok(())
    }
}
