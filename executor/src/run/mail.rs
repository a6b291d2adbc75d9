//! The loop reads what other threads have sent.

use reactor::observe::Cause;

use selectors_core::act;

use crate::run::core::Core;
use crate::task::acts;
use crate::wake::inbox::MaySleep;
use crate::wake::remote::Mail;

impl Core {
    /// Foreign wakes become entries in our own queue. Reads `most` messages at most, and says how
    /// many it was.
    #[inline]
    pub(super) fn collect_mail(&self, most: usize) -> usize {
        if self.has_mail() {
            self.open_mail(most)
        } else {
            0
        }
    }

    /// Are there messages that were not read?
    #[inline]
    pub(crate) fn has_mail(&self) -> bool {
        self.remote.inbox.has_mail()
    }

    /// Is no task left, and none on its way?
    pub(super) fn is_empty(&self) -> bool {
        self.live() == 0 && !self.has_mail()
    }

    #[cold]
    fn open_mail(&self, most: usize) -> usize {
        self.quiet_sleeps.set(0);
        let mut read = 0;
        let reading = Reading(self);
        while read < most {
            let Some(mail) = reading.next() else {
                break;
            };
            read += 1;
            self.messages.add(1);
            match mail {
                Mail::Wake(id) => act!(acts::WokenByMail, self.schedule(id, Cause::Thread)),
                Mail::Abort(id) => self.abort_task(id),
                Mail::Spawn(spawn) => spawn(),
                Mail::Stop => self.ask_to_stop(),
            }
        }
        drop(reading);
        if self.letters.borrow().were_many() {
            self.mail_burst.set(true);
        }
        read
    }

    /// Just before a wait that only readiness, a timer or the notifier ends: may the loop sleep?
    #[inline]
    pub(crate) fn prepare_to_sleep(&self) -> MaySleep {
        match self.remote.inbox.is_awake() {
            true => self.announce_sleep(),
            false => MaySleep::Allowed,
        }
    }

    /// A sleep may be long, so what a burst of mail has taken is given back before it.
    #[cold]
    fn announce_sleep(&self) -> MaySleep {
        let inbox = &self.remote.inbox;
        let may_sleep = inbox.prepare_to_sleep();
        if may_sleep == MaySleep::Allowed && self.mail_burst.take() {
            inbox.give_back(&mut self.letters.borrow_mut());
        }
        may_sleep
    }
}

/// While messages are read. What is left then, also by a panic, is not forgotten.
struct Reading<'a>(&'a Core);

impl Reading<'_> {
    fn next(&self) -> Option<Mail> {
        self.0.remote.inbox.next(&mut self.0.letters.borrow_mut())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.remote.inbox.stop_reading(&self.0.letters.borrow());
    }
}
