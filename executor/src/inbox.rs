//! The inbox: wakes from other threads, and the handshake that lets the loop sleep.
//!
//! The loop must not sleep while there is mail, and a sender should write to the notifier (a
//! system call) only if the loop would otherwise not look. Both follow from one state:
//!
//! | state  | set by | means | a sender that finds it |
//! |--------|--------|-------|------------------------|
//! | QUIET  | the loop, when nobody has sent for a while | the loop sleeps without saying so | notifies |
//! | AWAKE  | the loop | the loop looks here before it sleeps | does nothing |
//! | ASLEEP | the loop, just before the wait | the loop is in the kernel, or about to be | notifies |
//! | MAIL   | a sender, always | there is something in the list | does nothing: somebody notified, or the loop will look |
//!
//! The race is "check, then sleep" against "send, then notify". Both sides change the state with
//! one atomic read-modify-write, so one of them comes first:
//!
//! * the sender first: the loop's AWAKE -> ASLEEP fails, because it finds MAIL; it does not sleep;
//! * the loop first: the sender finds ASLEEP and notifies; the wait returns at once.
//!
//! QUIET exists so that a program without foreign wakes pays nothing: the loop sleeps without an
//! atomic operation, and the price is one notification that may turn out to be needless. All
//! orders are tried exhaustively by the loom test at the end.

#[cfg(loom)]
use loom::sync::{
    Mutex,
    atomic::{AtomicU8, Ordering},
};
use std::mem;
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{
    Mutex,
    atomic::{AtomicU8, Ordering},
};

const QUIET: u8 = 0;
const AWAKE: u8 = 1;
const ASLEEP: u8 = 2;
const MAIL: u8 = 3;

/// Messages from other threads to one loop.
pub(crate) struct Inbox<T> {
    state: AtomicU8,
    /// `None` once the loop is gone.
    list: Mutex<Option<Vec<T>>>,
}

/// Must the sender write to the notifier?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notify {
    /// The loop is asleep, or may be.
    Needed,
    /// The loop will look by itself, or somebody else has notified it.
    NotNeeded,
    /// The loop is gone, and the message with it.
    NobodyHome,
}

/// May the loop sleep?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sleep {
    /// Whoever sends from now on notifies.
    Allowed,
    /// There is mail.
    MailFirst,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Self {
        Inbox {
            state: AtomicU8::new(QUIET),
            list: Mutex::new(Some(Vec::new())),
        }
    }

    /// Any thread: leaves a message.
    pub(crate) fn push(&self, message: T) -> Notify {
        match &mut *self.list.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(list) => list.push(message),
            None => return Notify::NobodyHome,
        }
        // Release the list to whoever takes MAIL away; acquire is not needed to send.
        match self.state.swap(MAIL, Ordering::AcqRel) {
            QUIET | ASLEEP => Notify::Needed,
            _ => Notify::NotNeeded,
        }
    }

    /// The loop: is there anything to take? One plain load.
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        self.state.load(Ordering::Relaxed) == MAIL
    }

    /// The loop: exchanges the list for `empty`.
    ///
    /// The state goes first. A sender that comes in between sets MAIL again, and at worst the
    /// loop looks once more and finds nothing.
    pub(crate) fn take(&self, empty: &mut Vec<T>) {
        self.state.swap(AWAKE, Ordering::AcqRel);
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = &mut *list {
            mem::swap(list, empty);
        }
    }

    /// Is the loop gone?
    pub(crate) fn is_closed(&self) -> bool {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    /// The loop is going: hands out what is left, and takes nothing in any more.
    pub(crate) fn close(&self) -> Vec<T> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.take().unwrap_or_default()
    }

    /// The loop, just before a wait that only readiness, a timer or the notifier ends.
    #[inline]
    pub(crate) fn prepare_to_sleep(&self) -> Sleep {
        match self.state.load(Ordering::Relaxed) {
            // ASLEEP: announced already, for a host loop that waits in our place.
            QUIET | ASLEEP => Sleep::Allowed,
            _ => self.announce(ASLEEP),
        }
    }

    /// The loop, after the wait.
    #[inline]
    pub(crate) fn woke_up(&self) {
        if self.state.load(Ordering::Relaxed) == ASLEEP {
            // If this fails, a sender has just set MAIL, which says more.
            let _ = self.change(ASLEEP, AWAKE);
        }
    }

    /// The loop, when it has not had mail for a while: stop announcing sleep.
    pub(crate) fn quiet(&self) {
        let _ = self.announce(QUIET);
    }

    fn announce(&self, state: u8) -> Sleep {
        match self.change(AWAKE, state) {
            Ok(_) => Sleep::Allowed,
            Err(_) => Sleep::MailFirst,
        }
    }

    fn change(&self, from: u8, to: u8) -> Result<u8, u8> {
        self.state
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_sends_to_a_sleeper_notify_once() {
        let inbox = Inbox::new();
        inbox.take(&mut Vec::new());
        assert_eq!(inbox.prepare_to_sleep(), Sleep::Allowed);
        let needed = (0..100)
            .filter(|message| inbox.push(*message) == Notify::Needed)
            .count();
        assert_eq!(needed, 1);
        inbox.woke_up();
        assert!(inbox.has_mail());
        let mut list = Vec::new();
        inbox.take(&mut list);
        assert_eq!(list, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn mail_forbids_sleep() {
        let inbox = Inbox::new();
        inbox.take(&mut Vec::new());
        assert_eq!(inbox.push(1), Notify::NotNeeded);
        assert_eq!(inbox.prepare_to_sleep(), Sleep::MailFirst);
    }

    #[test]
    fn a_quiet_inbox_is_always_notified() {
        let inbox = Inbox::new();
        assert_eq!(inbox.prepare_to_sleep(), Sleep::Allowed);
        inbox.woke_up();
        assert_eq!(inbox.push(1), Notify::Needed);
        assert_eq!(inbox.push(2), Notify::NotNeeded);
    }

    #[test]
    fn a_closed_inbox_takes_nothing_in() {
        let inbox = Inbox::new();
        inbox.push(1);
        assert_eq!(inbox.close(), [1]);
        assert_eq!(inbox.push(2), Notify::NobodyHome);
        assert_eq!(inbox.close(), []);
    }

    #[test]
    fn an_inbox_with_mail_does_not_become_quiet() {
        let inbox = Inbox::new();
        inbox.push(1);
        inbox.quiet();
        assert!(inbox.has_mail());
    }
}

/// Every order of two senders and a loop that checks and then sleeps. Run with
/// `RUSTFLAGS="--cfg loom" cargo test -p executor --release --lib loom`.
#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::sync::{Arc, Condvar};
    use loom::thread;

    /// An eventfd: `wait` blocks until somebody has notified since the last wait.
    struct Eventfd {
        written: Mutex<bool>,
        changed: Condvar,
    }

    impl Eventfd {
        fn notify(&self) {
            *self.written.lock().unwrap() = true;
            self.changed.notify_one();
        }

        fn wait(&self) {
            let mut written = self.written.lock().unwrap();
            while !*written {
                written = self.changed.wait(written).unwrap();
            }
            *written = false;
        }
    }

    /// Receives `expected` messages as the run loop does. A lost wake is a deadlock, which loom
    /// reports.
    fn receive(inbox: &Inbox<u32>, eventfd: &Eventfd, expected: usize, quiet: bool) {
        let mut received = Vec::new();
        while received.len() < expected {
            if inbox.has_mail() {
                let mut list = Vec::new();
                inbox.take(&mut list);
                received.append(&mut list);
                if quiet {
                    inbox.quiet();
                }
                continue;
            }
            if inbox.prepare_to_sleep() == Sleep::Allowed {
                eventfd.wait();
                inbox.woke_up();
            }
        }
    }

    /// `senders` threads with `messages` each against one loop; `preemptions` bounds the search
    /// where it must be.
    fn permute(senders: u32, messages: u32, preemptions: Option<usize>, quiet: bool) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = preemptions;
        model.check(move || {
            let inbox = Arc::new(Inbox::new());
            let eventfd = Arc::new(Eventfd {
                written: Mutex::new(false),
                changed: Condvar::new(),
            });
            for _ in 0..senders {
                let (inbox, eventfd) = (Arc::clone(&inbox), Arc::clone(&eventfd));
                thread::spawn(move || {
                    for message in 0..messages {
                        if inbox.push(message) == Notify::Needed {
                            eventfd.notify();
                        }
                    }
                });
            }
            receive(&inbox, &eventfd, (senders * messages) as usize, quiet);
        });
    }

    #[test]
    fn no_order_of_check_and_sleep_loses_a_wake() {
        permute(1, 2, None, false);
    }

    #[test]
    fn no_order_loses_a_wake_when_the_loop_turns_quiet() {
        permute(1, 2, None, true);
    }

    /// What is wrong with "check, then sleep" alone; and proof that a lost wake is seen here.
    #[test]
    #[should_panic(expected = "deadlock")]
    fn a_check_without_an_announced_sleep_loses_a_wake() {
        loom::model(|| {
            let inbox = Arc::new(Inbox::new());
            let eventfd = Arc::new(Eventfd {
                written: Mutex::new(false),
                changed: Condvar::new(),
            });
            // AWAKE: the loop will look before it sleeps.
            inbox.take(&mut Vec::new());
            let (sender, written) = (Arc::clone(&inbox), Arc::clone(&eventfd));
            thread::spawn(move || {
                if sender.push(1) == Notify::Needed {
                    written.notify();
                }
            });
            if !inbox.has_mail() {
                eventfd.wait();
            }
        });
    }

    #[test]
    fn two_senders_lose_no_wake_within_three_preemptions() {
        permute(2, 1, Some(3), true);
    }
}
