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
//!
//! A message may have a key, and is not stored while another with that key is in the box: whoever
//! wakes a task again and again, while the loop is busy, is told at once that it is woken already.
//! The lock that says so is the one that the loop takes afterwards, so what that sender did before
//! its wake is seen by the poll.

#[cfg(loom)]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, Ordering},
};
use std::mem;
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU8, Ordering},
};

use crate::wake::letters::Letters;

const QUIET: u8 = 0;
const AWAKE: u8 = 1;
const ASLEEP: u8 = 2;
const MAIL: u8 = 3;

/// Messages from other threads to one loop.
pub(crate) struct Inbox<T> {
    state: AtomicU8,
    /// `None` once the loop is gone.
    letters: Mutex<Option<Letters<T>>>,
}

/// Must the sender write to the notifier?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notify {
    /// The loop is asleep, or may be.
    Needed,
    /// The loop will look by itself, or somebody else has notified it.
    NotNeeded,
}

/// May the loop sleep?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaySleep {
    /// Whoever sends from now on notifies.
    Allowed,
    /// There is mail.
    MailFirst,
}

impl<T> Inbox<T> {
    pub(crate) fn new() -> Self {
        Inbox {
            state: AtomicU8::new(QUIET),
            letters: Mutex::new(Some(Letters::default())),
        }
    }

    /// Any thread: leaves a message, unless one with that key is there. Gives it back if the loop
    /// is gone.
    pub(crate) fn push(&self, message: T, key: Option<u64>) -> Result<Notify, T> {
        match &mut *self.lock() {
            Some(letters) => {
                // Whoever left the one that is there notifies, or has.
                if key.is_some_and(|key| !letters.keys.insert(key)) {
                    return Ok(Notify::NotNeeded);
                }
                letters.list.push_back(message);
            }
            None => return Err(message),
        }
        // Release the list to whoever takes MAIL away; acquire is not needed to send.
        Ok(match self.state.swap(MAIL, Ordering::AcqRel) {
            QUIET | ASLEEP => Notify::Needed,
            _ => Notify::NotNeeded,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Letters<T>>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop: is there anything to take? One plain load.
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        self.state.load(Ordering::Relaxed) == MAIL
    }

    /// The loop: exchanges the letters for `empty`.
    ///
    /// The state goes first. A sender that comes in between sets MAIL again, and at worst the
    /// loop looks once more and finds nothing.
    fn take(&self, empty: &mut Letters<T>) {
        self.state.swap(AWAKE, Ordering::AcqRel);
        if let Some(letters) = &mut *self.lock() {
            mem::swap(letters, empty);
        }
        empty.taken = empty.list.len();
    }

    /// The loop: the next message, of those that it has taken, or else of those in the box.
    pub(crate) fn next(&self, taken: &mut Letters<T>) -> Option<T> {
        if taken.list.is_empty() && self.has_mail() {
            taken.make_ready();
            self.take(taken);
        }
        taken.list.pop_front()
    }

    /// The loop: it reads no more now, and must not sleep if that was not all.
    pub(crate) fn stop_reading(&self, taken: &Letters<T>) {
        if !taken.list.is_empty() {
            self.state.swap(MAIL, Ordering::AcqRel);
        }
    }

    /// The loop: gives back what a burst of messages has left of buffers, on both sides. Those that
    /// were taken have been read.
    pub(crate) fn give_back(&self, taken: &mut Letters<T>) {
        taken.keys.clear();
        taken.give_back();
        if let Some(letters) = &mut *self.lock() {
            letters.give_back();
        }
    }

    /// Is the loop gone?
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_none()
    }

    /// The loop is going: hands out what is left, and takes nothing in any more.
    pub(crate) fn close(&self) -> Letters<T> {
        self.lock().take().unwrap_or_default()
    }

    /// Has the loop still to announce that it sleeps? If not, it [may](Self::prepare_to_sleep).
    #[inline]
    pub(crate) fn is_awake(&self) -> bool {
        !matches!(self.state.load(Ordering::Relaxed), QUIET | ASLEEP)
    }

    /// The loop, just before a wait that only readiness, a timer or the notifier ends.
    #[inline]
    pub(crate) fn prepare_to_sleep(&self) -> MaySleep {
        // ASLEEP: announced already, for a host loop that waits in our place.
        match self.is_awake() {
            true => self.announce(ASLEEP),
            false => MaySleep::Allowed,
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

    fn announce(&self, state: u8) -> MaySleep {
        match self.change(AWAKE, state) {
            Ok(_) => MaySleep::Allowed,
            Err(_) => MaySleep::MailFirst,
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
    use crate::wake::letters::FEW;

    fn take(inbox: &Inbox<u32>) -> Vec<u32> {
        let mut letters = Letters::default();
        inbox.take(&mut letters);
        letters.list.into()
    }

    #[test]
    fn a_hundred_sends_to_a_sleeper_notify_once() {
        let inbox = Inbox::new();
        take(&inbox);
        assert_eq!(inbox.prepare_to_sleep(), MaySleep::Allowed);
        let needed = (0..100)
            .filter(|message| inbox.push(*message, None) == Ok(Notify::Needed))
            .count();
        assert_eq!(needed, 1);
        inbox.woke_up();
        assert!(inbox.has_mail());
        assert_eq!(take(&inbox), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_second_message_with_a_key_that_is_there_is_not_stored() {
        let inbox = Inbox::new();
        for _ in 0..3 {
            assert_eq!(inbox.push(1, Some(1)), Ok(Notify::Needed));
            for _ in 0..100 {
                assert_eq!(inbox.push(1, Some(1)), Ok(Notify::NotNeeded));
                assert_eq!(inbox.push(2, Some(2)), Ok(Notify::NotNeeded));
            }
            assert_eq!(take(&inbox), [1, 2]);
            inbox.quiet();
        }
        assert_eq!(take(&inbox), []);
    }

    #[test]
    fn the_buffers_are_kept_from_turn_to_turn_and_given_back_after_a_burst() {
        let inbox = Inbox::new();
        let mut letters = Letters::default();
        let mut exchange = |messages: u32| {
            for message in 0..messages {
                let _ = inbox.push(message, Some(message.into()));
            }
            assert_eq!(inbox.next(&mut letters), Some(0));
            let taken = (letters.list.capacity(), letters.keys.capacity());
            assert_eq!(letters.by_ref().count() as u32, messages - 1);
            taken
        };
        exchange(50);
        let (list, keys) = exchange(50);
        assert!(list >= 50 && keys >= 50);
        for _ in 0..10 {
            assert_eq!(exchange(50), (list, keys));
        }
        for messages in [100_000, 100_000, 1, 1, 1, 1] {
            exchange(messages);
        }
        let (list, keys) = exchange(1);
        assert!(list <= FEW && keys <= 4 * FEW, "{list} and {keys} are kept");
    }

    #[test]
    fn a_burst_is_given_back_on_both_sides_and_no_message_with_it() {
        let inbox = Inbox::new();
        let mut letters = Letters::default();
        for _ in 0..2 {
            for message in 0..100_000_u32 {
                let _ = inbox.push(message, Some(message.into()));
            }
            assert_eq!(inbox.next(&mut letters), Some(0));
            assert!(letters.were_many());
            assert_eq!(letters.by_ref().count(), 99_999);
        }
        let _ = inbox.push(7, Some(7));
        inbox.give_back(&mut letters);
        let (list, keys) = (letters.list.capacity(), letters.keys.capacity());
        assert!(list <= FEW && keys <= 4 * FEW, "{list} and {keys} are kept");
        // The one that came meanwhile is there, and is not stored twice.
        assert_eq!(inbox.push(7, Some(7)), Ok(Notify::NotNeeded));
        assert_eq!(inbox.next(&mut letters), Some(7));
        let (list, keys) = (letters.list.capacity(), letters.keys.capacity());
        assert!(list <= FEW && keys <= 4 * FEW, "{list} and {keys} are kept");
        assert_eq!(inbox.next(&mut letters), None);
    }

    #[test]
    fn what_was_taken_and_not_read_forbids_sleep() {
        let inbox = Inbox::new();
        for message in 1..=3 {
            let _ = inbox.push(message, None);
        }
        let mut letters = Letters::default();
        for message in 1..=3 {
            assert_eq!(inbox.next(&mut letters), Some(message));
            inbox.stop_reading(&letters);
            assert!(inbox.has_mail());
        }
        assert_eq!(inbox.next(&mut letters), None);
        assert_eq!(inbox.prepare_to_sleep(), MaySleep::Allowed);
    }

    #[test]
    fn mail_forbids_sleep() {
        let inbox = Inbox::new();
        take(&inbox);
        assert_eq!(inbox.push(1, None), Ok(Notify::NotNeeded));
        assert_eq!(inbox.prepare_to_sleep(), MaySleep::MailFirst);
    }

    #[test]
    fn a_quiet_inbox_is_always_notified() {
        let inbox = Inbox::new();
        assert_eq!(inbox.prepare_to_sleep(), MaySleep::Allowed);
        inbox.woke_up();
        assert_eq!(inbox.push(1, None), Ok(Notify::Needed));
        assert_eq!(inbox.push(2, None), Ok(Notify::NotNeeded));
    }

    #[test]
    fn a_closed_inbox_takes_nothing_in() {
        let inbox = Inbox::new();
        let _ = inbox.push(1, None);
        assert_eq!(inbox.close().list, [1]);
        assert_eq!(inbox.push(2, None), Err(2));
        assert_eq!(inbox.close().list, []);
    }

    #[test]
    fn an_inbox_with_mail_does_not_become_quiet() {
        let inbox = Inbox::new();
        let _ = inbox.push(1, None);
        inbox.quiet();
        assert!(inbox.has_mail());
    }
}

/// Every order of two senders and a loop that checks and then sleeps. Run with
/// `RUSTFLAGS="--cfg loom" cargo test -p selectors-executor --release --lib loom`.
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
                let mut letters = Letters::default();
                inbox.take(&mut letters);
                received.extend(letters.list);
                if quiet {
                    inbox.quiet();
                }
                continue;
            }
            if inbox.prepare_to_sleep() == MaySleep::Allowed {
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
                        if inbox.push(message, None) == Ok(Notify::Needed) {
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
            inbox.take(&mut Letters::default());
            let (sender, written) = (Arc::clone(&inbox), Arc::clone(&eventfd));
            thread::spawn(move || {
                if sender.push(1, None) == Ok(Notify::Needed) {
                    written.notify();
                }
            });
            if !inbox.has_mail() {
                eventfd.wait();
            }
        });
    }

    /// Two threads do something and wake the same task, which is not stored twice: what each has
    /// done is seen by a poll. One letter is read at a time; `more` lie in the box besides.
    fn one_key(more: u32) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let inbox = Arc::new(Inbox::new());
            let eventfd = Arc::new(Eventfd {
                written: Mutex::new(false),
                changed: Condvar::new(),
            });
            let done = Arc::new([AtomicU8::new(0), AtomicU8::new(0)]);
            for number in 0..2 {
                let (inbox, eventfd) = (Arc::clone(&inbox), Arc::clone(&eventfd));
                let done = Arc::clone(&done);
                thread::spawn(move || {
                    done[number].store(1, Ordering::Relaxed);
                    if inbox.push(7, Some(7)) == Ok(Notify::Needed) {
                        eventfd.notify();
                    }
                });
            }
            for _ in 0..more {
                let _ = inbox.push(1, None);
            }
            let mut letters = Letters::default();
            let mut seen = 0;
            while seen != 2 {
                if inbox.has_mail() {
                    let letter = inbox.next(&mut letters);
                    inbox.stop_reading(&letters);
                    if letter == Some(7) {
                        seen = done.iter().map(|it| it.load(Ordering::Relaxed)).sum();
                    }
                    continue;
                }
                if inbox.prepare_to_sleep() == MaySleep::Allowed {
                    eventfd.wait();
                    inbox.woke_up();
                }
            }
        });
    }

    #[test]
    fn no_order_loses_what_was_done_before_a_second_wake() {
        one_key(0);
    }

    #[test]
    fn no_order_loses_what_lies_below_the_letter_that_is_read() {
        one_key(1);
    }

    #[test]
    fn two_senders_lose_no_wake_within_three_preemptions() {
        permute(2, 1, Some(3), true);
    }
}
