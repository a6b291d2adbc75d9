//! What goes wrong around a key: reported and not handled, watched and not waited for, closed and
//! still in use.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Hits;
use crate::{Header, Line, Step};

/// Selects in a row that return with the same key before that is a spin.
const SPIN: u32 = 8;
/// `EBADF` on every Unix.
const BAD_FD: i32 = 9;

/// Who waits in one direction of a key.
#[derive(Default)]
struct Waiters {
    /// Tasks that stored a waker.
    stored: BTreeSet<u32>,
    /// Those among them that have slept ever since: nothing can have taken their wakers back.
    asleep: BTreeSet<u32>,
}

/// What one key has done so far.
#[derive(Default)]
struct Key {
    /// The number that the kernel knows it by.
    raw: Option<u64>,
    /// As in `"RW"`; empty when it is parked.
    interest: String,
    /// By direction: reading, writing.
    waiters: [Waiters; 2],
    /// Selects in a row that reported it, while no call on it came to anything.
    reported: u32,
    /// Reported readable, and no call has been tried since.
    untried: bool,
    /// Reported readable while nobody waited for that: from then on it should not be watched for it.
    found_nobody: bool,
    /// It was said already that nobody waits for it.
    told: bool,
}

/// All keys of a trace.
pub(super) struct Keys {
    keys: BTreeMap<u32, Key>,
    /// With edges a key stays watched in both directions, whoever waits.
    edge: bool,
    /// Wakers are stored in keys; in a program of callbacks they are not.
    wakers: bool,
    /// Tasks that have to be woken before the thread sleeps again, and the fd that was reported.
    owed: HashMap<u32, u32>,
    /// The real numbers of fds.
    raw: HashMap<u32, u64>,
    /// Connections that were accepted and not used, by their real numbers.
    unused: BTreeMap<u64, Unused>,
    /// One was closed without having been used: that may be meant. Or it is not known who is who.
    excused: bool,
    /// What is reported is that a ring has answers, which are read without a call.
    ring: bool,
}

/// A connection that was accepted.
struct Unused {
    event: usize,
    /// The thread has slept since.
    slept: bool,
}

impl Keys {
    pub(super) fn new(header: &Header) -> Self {
        Keys {
            keys: BTreeMap::new(),
            edge: header.trigger == "edge",
            wakers: false,
            owed: HashMap::new(),
            raw: HashMap::new(),
            unused: BTreeMap::new(),
            excused: false,
            ring: header.backend == "io_uring_enter",
        }
    }

    pub(super) fn look(&mut self, line: &Line, running: Option<u32>, hits: &mut Hits) {
        self.uses(line, hits.event);
        match &line.step {
            Step::Syscall { .. } => self.call(line, hits),
            Step::WakerStored { fd, dir, .. } => self.stored(*fd, dir, running, hits),
            Step::SelectBegin { timeout, .. } => self.sleeps(*timeout != Some(0), hits),
            Step::SelectEnd { ready } => self.selected(ready, hits),
            Step::Register { fd, events } => {
                let key = self.keys.entry(*fd).or_default();
                // A waker may be stored before the key is there at all.
                let waiters = std::mem::take(&mut key.waiters);
                let raw = line.raw.or(key.raw);
                *key = Key {
                    raw,
                    interest: events.clone(),
                    waiters,
                    ..Key::default()
                };
            }
            Step::Modify { fd, events } => {
                let key = self.keys.entry(*fd).or_default();
                key.interest.clone_from(events);
                key.found_nobody = false;
                // Nobody is waited for in a direction that is not watched.
                for (direction, letter) in ["R", "W"].into_iter().enumerate() {
                    if !events.contains(letter) {
                        key.waiters[direction] = Waiters::default();
                    }
                }
            }
            Step::Unregister { fd } => {
                self.keys.remove(fd);
            }
            Step::Wake { task, .. } => {
                self.owed.remove(task);
            }
            // An eventfd that is watched by edge need not be read.
            Step::Notify => self.keys.values_mut().for_each(|key| key.reported = 0),
            Step::PollBegin { task } => self.each_waiters(|waiters| {
                waiters.asleep.remove(task);
            }),
            Step::Done { task } | Step::DropPending { task } => {
                self.owed.remove(task);
                self.each_waiters(|waiters| {
                    waiters.asleep.remove(task);
                    waiters.stored.remove(task);
                });
            }
            _ => {}
        }
    }

    /// Which connections are used?
    fn uses(&mut self, line: &Line, event: usize) {
        let fd = match &line.step {
            Step::Syscall { fd, .. }
            | Step::WakerStored { fd, .. }
            | Step::Register { fd, .. }
            | Step::Modify { fd, .. }
            | Step::Unregister { fd } => *fd,
            Step::SelectEnd { ready } => {
                // Where an fd first appears in a report, its real number is not told.
                self.excused |= ready.iter().any(|(fd, _)| !self.raw.contains_key(fd));
                return;
            }
            Step::SelectBegin { timeout, .. } if *timeout != Some(0) => {
                self.unused
                    .values_mut()
                    .for_each(|unused| unused.slept = true);
                return;
            }
            _ => return,
        };
        if let Some(raw) = line.raw {
            self.raw.insert(fd, raw);
        }
        if let Some(raw) = self.raw.get(&fd) {
            self.unused.remove(raw);
        }
        match &line.step {
            Step::Unregister { .. } => {
                self.raw.remove(&fd);
            }
            Step::Syscall {
                call, n: Some(raw), ..
            } if call == "accept" => {
                let slept = false;
                let before = self.unused.insert(*raw, Unused { event, slept });
                // The number is given out again.
                self.excused |= before.is_some();
            }
            _ => {}
        }
    }

    /// What can be told only of a whole trace.
    pub(super) fn end(&self, hits: &mut Hits) {
        let unused = self.unused.iter();
        for (raw, Unused { event, .. }) in unused.filter(|(_, it)| it.slept && !self.excused) {
            let text = format!(
                "a connection was accepted, number {raw} for the kernel, and since then nobody has read \
                 from it, written to it or waited for it: what the peer sends stays in the kernel, and \
                 the peer waits"
            );
            hits.event = *event;
            hits.hit("never-used", text);
        }
    }

    fn each_waiters(&mut self, mut act: impl FnMut(&mut Waiters)) {
        for key in self.keys.values_mut() {
            key.waiters.iter_mut().for_each(&mut act);
        }
    }

    fn call(&mut self, line: &Line, hits: &mut Hits) {
        let Step::Syscall {
            fd,
            call,
            result,
            n,
            errno,
            ..
        } = &line.step
        else {
            return;
        };
        let key = self.keys.entry(*fd).or_default();
        key.raw = line.raw.or(key.raw);
        key.untried = false;
        // The end of a stream is always readable: to read it again is no progress.
        if result != "would_block" && *n != Some(0) {
            key.reported = 0;
        }
        if *errno == Some(BAD_FD) {
            let text = format!(
                "{call} on fd {fd} answered EBADF: the fd was closed while somebody still used its \
                 number; the next socket may get the same one"
            );
            hits.hit("closed-fd", text);
        }
        if call == "accept" && n.is_some() {
            let watched = |(_, key): &(&u32, &Key)| key.raw == *n && !key.interest.is_empty();
            if let Some((old, key)) = self.keys.iter().find(watched) {
                let text = format!(
                    "accept gave out number {}, and the selector still watches it as fd {old}: the \
                     socket before was closed without being unregistered, and what is reported \
                     for one of the two reaches the other",
                    key.raw.unwrap_or_default()
                );
                hits.hit("closed-fd", text);
            }
        }
    }

    fn stored(&mut self, fd: u32, dir: &str, running: Option<u32>, hits: &mut Hits) {
        let key = self.keys.entry(fd).or_default();
        if dir == "R" && key.untried {
            let text = format!(
                "a waker was stored for fd {fd} after the kernel had reported it ready, and no \
                 call was tried in between: with edges, that report was the last"
            );
            hits.hit("stored-too-late", text);
        }
        if let Some(task) = running {
            self.wakers = true;
            key.found_nobody &= dir != "R";
            let waiters = &mut key.waiters[usize::from(dir != "R")];
            waiters.stored.insert(task);
            waiters.asleep.insert(task);
        }
    }

    /// The thread asks the kernel, and `waits` unless it only looks.
    fn sleeps(&mut self, waits: bool, hits: &mut Hits) {
        let mut owed: Vec<(u32, u32)> = self.owed.drain().collect();
        owed.sort_unstable();
        for (task, fd) in owed {
            let text = format!(
                "fd {fd} was found ready, task {task} had stored its waker there, and nobody called \
                 it before the thread went to sleep again: the wake got lost, or select does not \
                 repeat what it has said once"
            );
            hits.hit("ready-but-asleep", text);
        }
        if !waits || self.edge || !self.wakers {
            return;
        }
        for (fd, key) in &mut self.keys {
            // A reader may be elsewhere, as long as nothing comes: his key need not be changed each time.
            let waited_for = |direction: usize| {
                !key.waiters[direction].stored.is_empty() || (direction == 0 && !key.found_nobody)
            };
            let letters = ["R", "W"].into_iter().enumerate();
            let idle = letters.filter(|(direction, letter)| {
                key.interest.contains(letter) && !waited_for(*direction)
            });
            let idle: String = idle.map(|(_, letter)| letter).collect();
            if !idle.is_empty() && !key.told {
                key.told = true;
                let text = format!(
                    "the thread sleeps over fd {fd}, watched for {idle}, and no waker is stored \
                     there: when it is reported, nobody will know what to do"
                );
                hits.hit("key-without-waiter", text);
            }
        }
    }

    fn selected(&mut self, ready: &[(u32, String)], hits: &mut Hits) {
        for (fd, key) in &mut self.keys {
            if !ready.iter().any(|(ready, _)| ready == fd) {
                key.reported = 0;
            }
        }
        for (fd, conditions) in ready {
            let key = self.keys.entry(*fd).or_default();
            key.reported += u32::from(!self.ring);
            key.untried = conditions.contains('R');
            key.found_nobody = key.untried && key.waiters[0].stored.is_empty();
            for (direction, letters) in [['R', 'C'], ['W', 'W']].into_iter().enumerate() {
                // A hang-up and an error concern both.
                if conditions.contains(letters) || conditions.contains(['H', 'E']) {
                    let waiters = std::mem::take(&mut key.waiters[direction]);
                    self.owed
                        .extend(waiters.asleep.into_iter().map(|task| (task, *fd)));
                }
            }
            if key.reported == SPIN {
                let text = format!(
                    "select returned {SPIN} times in a row because of fd {fd} ({conditions}), and \
                     nothing was done about it: interest that nobody needs any more, or a hang-up \
                     that nobody handles; this burns a CPU"
                );
                hits.hit("spin", text);
            }
        }
    }
}
