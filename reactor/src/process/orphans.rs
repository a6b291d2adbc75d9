//! Children that were dropped before they ended.
//!
//! Somebody has to wait for them, or they stay in the kernel's table as zombies. There may be no
//! reactor any more when they end; so a thread does nothing else. It is one for all, made for the
//! first and gone after the last, and watches their pidfds; without pidfds it asks each child that is
//! left after every SIGCHLD.

use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{self, Child};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use selectors_core::{Events, PollSelector, Token};
use signal_hook::SigId;
use signal_hook::consts::SIGCHLD;
use signal_hook::low_level;

/// All that the thread needs.
const STACK: usize = 64 * 1024;

/// So long the thread rests when the kernel cannot let it wait.
const REST: Duration = Duration::from_millis(50);

static ORPHANS: Mutex<Orphans> = Mutex::new(Orphans {
    coming: Vec::new(),
    reaper: None,
});

struct Orphans {
    /// Those that the thread has not taken yet, or for whom none could be made.
    coming: Vec<Orphan>,
    reaper: Option<Bell>,
}

struct Orphan {
    child: Child,
    pidfd: Option<OwnedFd>,
}

/// Wakes the thread.
struct Bell {
    rope: UnixStream,
    /// The process that has the thread: a fork has only this value of it.
    process: u32,
}

/// Takes the child out of the kernel's table when it ends.
pub(crate) fn adopt(child: Child, pidfd: Option<OwnedFd>) {
    let mut orphans = lock();
    let here = process::id();
    if orphans
        .reaper
        .as_ref()
        .is_some_and(|bell| bell.process != here)
    {
        // Children of another process, for its thread.
        orphans.coming.clear();
        orphans.reaper = None;
    }
    orphans.coming.push(Orphan { child, pidfd });
    match &orphans.reaper {
        // If it is full, it has rung.
        Some(bell) => drop((&bell.rope).write(&[0])),
        None => orphans.reaper = start_reaper(here).ok(),
    }
}

/// Takes those out that have no thread and have ended.
pub(crate) fn reap() {
    lock().coming.retain_mut(|orphan| lives(&mut orphan.child));
}

fn start_reaper(process: u32) -> io::Result<Bell> {
    let (ear, rope) = UnixStream::pair()?;
    ear.set_nonblocking(true)?;
    rope.set_nonblocking(true)?;
    let theirs = rope.try_clone()?;
    let mut reaper = Reaper::new(ear, theirs)?;
    let builder = thread::Builder::new().name("orphans".to_owned());
    builder.stack_size(STACK).spawn(move || reaper.work())?;
    Ok(Bell { rope, process })
}

/// What the thread has.
struct Reaper {
    /// A child is the data of its pidfd; the bell has none.
    selector: PollSelector<TellsOfChild, Option<Child>>,
    bell: Token,
    /// Rung by SIGCHLD too, while there are children without a pidfd.
    rope: UnixStream,
    by_signal: Option<SigId>,
    without_pidfd: Vec<Child>,
}

impl Reaper {
    fn new(ear: UnixStream, rope: UnixStream) -> io::Result<Reaper> {
        let mut selector = PollSelector::new()?;
        let bell = selector.register(TellsOfChild::Ear(ear), Events::READ, None)?;
        Ok(Reaper {
            selector,
            bell,
            rope,
            by_signal: None,
            without_pidfd: Vec::new(),
        })
    }

    fn work(&mut self) {
        let mut ready = Vec::new();
        loop {
            self.listen();
            let Some(coming) = self.take_coming() else {
                return;
            };
            for orphan in coming {
                self.watch(orphan);
            }
            // After the handler was installed, so no end falls in between.
            self.without_pidfd.retain_mut(lives);
            if self.selector.get_map().len() == 1 && self.without_pidfd.is_empty() {
                continue;
            }
            if self.selector.select(&mut ready, None).is_err() {
                thread::sleep(REST);
            }
            for event in ready.drain(..) {
                if event.token == self.bell {
                    continue;
                }
                let key = self.selector.unregister(event.token);
                let child = key.ok().and_then(|key| key.data);
                if let Some(child) = child.and_then(living) {
                    let pidfd = None;
                    self.watch(Orphan { child, pidfd });
                }
            }
        }
    }

    /// Empties the bell first; what rings from here on ends the wait that follows.
    fn listen(&mut self) {
        let key = self.selector.get_key(self.bell);
        if let Some(TellsOfChild::Ear(ear)) = key.map(|key| &key.fileobj) {
            let mut ear = ear;
            while matches!(ear.read(&mut [0; 64]), Ok(1..)) {}
        }
    }

    /// `None` if nobody is left, and the thread ends.
    fn take_coming(&mut self) -> Option<Vec<Orphan>> {
        let mut orphans = lock();
        let watched = self.selector.get_map().len() - 1 + self.without_pidfd.len();
        if orphans.coming.is_empty() && watched == 0 {
            orphans.reaper = None;
            return None;
        }
        Some(mem::take(&mut orphans.coming))
    }

    fn watch(&mut self, orphan: Orphan) {
        let Orphan { child, pidfd } = orphan;
        let child = match pidfd.map(TellsOfChild::Pidfd) {
            None => Some(child),
            Some(pidfd) => match self.selector.register(pidfd, Events::READ, Some(child)) {
                Ok(_) => None,
                Err(refused) => refused.data,
            },
        };
        self.without_pidfd.extend(child);
        if !self.without_pidfd.is_empty() && self.by_signal.is_none() {
            let rope = self.rope.try_clone();
            let handler = rope.and_then(|rope| low_level::pipe::register(SIGCHLD, rope));
            self.by_signal = handler.ok();
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.by_signal.take().map(low_level::unregister);
    }
}

enum TellsOfChild {
    Ear(UnixStream),
    Pidfd(OwnedFd),
}

impl AsFd for TellsOfChild {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            TellsOfChild::Ear(ear) => ear.as_fd(),
            TellsOfChild::Pidfd(pidfd) => pidfd.as_fd(),
        }
    }
}

/// An error says that somebody else has waited for it.
fn lives(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(None))
}

/// What the pidfd told is true of nearly all.
fn living(mut child: Child) -> Option<Child> {
    lives(&mut child).then_some(child)
}

fn lock() -> MutexGuard<'static, Orphans> {
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_without_a_pidfd_is_reaped() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let process = format!("/proc/{}", child.id());
        adopt(child, None);
        drop(stdin);
        while std::fs::metadata(&process).is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
