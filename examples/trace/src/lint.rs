//! Lints: what is suspicious in a trace, found from its events alone.
//!
//! Each looks for one mistake that everybody makes once. None fires on a sound program: a test
//! runs them over the traces of the whole ladder.

use std::collections::HashMap;
use std::fmt;

use crate::{Line, Step, Trace};

/// A poll that takes longer, in nanoseconds, holds everybody else up.
const LONG_POLL: u64 = 100_000_000;
/// Selects in a row that return with the same key before that is a spin.
const SPIN: u32 = 8;
/// Polls of a task before the share of its own wakes means anything.
const SELF_WAKES_FROM: u32 = 32;
/// Polls in a row, after wakes by the reactor, that only hear WouldBlock.
const NO_PROGRESS: u32 = 8;
/// `EBADF` on every Unix.
const BAD_FD: i32 = 9;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which lint.
    pub lint: &'static str,
    /// The event that shows it, counted from 0.
    pub event: usize,
    /// A sentence: what is wrong, and what it usually means.
    pub text: String,
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at event {}: {}", self.lint, self.event, self.text)
    }
}

/// What one task has done so far.
#[derive(Default)]
struct Task {
    polls: u32,
    /// Wakes of itself, during its own poll.
    self_wakes: u32,
    /// When its poll began, and how long the recorder was at work in it.
    began: u64,
    recorded: u64,
    /// Its last wake came from the reactor.
    woken_by_key: bool,
    /// In this poll: calls that moved something, and calls that heard WouldBlock.
    moved: bool,
    blocked: bool,
    idle_wakes: u32,
    /// The fd of a write that came up short, and has not gone on.
    cut: Option<u32>,
}

/// What one key has done so far.
#[derive(Default)]
struct Key {
    /// Selects in a row that reported it, while no call on it came to anything.
    reported: u32,
    /// Reported ready, and no call has been tried since.
    untried: bool,
}

#[derive(Default)]
struct State {
    tasks: HashMap<u32, Task>,
    keys: HashMap<u32, Key>,
    running: Option<u32>,
    hits: Vec<Hit>,
}

/// All findings, one of a kind for each task or key, in the order of their events.
#[must_use]
pub fn all(trace: &Trace) -> Vec<Hit> {
    let mut state = State::default();
    let mut at_event = 0;
    for (event, line) in trace.lines.iter().enumerate() {
        state.look(event, line);
        at_event = event;
    }
    state.self_wakes(at_event);
    state.hits.sort_by_key(|hit| hit.event);
    state.hits
}

impl State {
    fn hit(&mut self, lint: &'static str, event: usize, text: String) {
        self.hits.push(Hit { lint, event, text });
    }

    fn look(&mut self, event: usize, line: &Line) {
        match &line.step {
            Step::PollBegin { task } => {
                self.running = Some(*task);
                let task = self.tasks.entry(*task).or_default();
                (task.began, task.recorded) = (line.t, 0);
                task.polls += 1;
                (task.moved, task.blocked) = (false, false);
            }
            Step::PollEnd { task, .. } => self.poll_end(event, line.t, *task),
            Step::Wake { task, by, .. } => {
                let own = self.running == Some(*task);
                let task = self.tasks.entry(*task).or_default();
                task.woken_by_key = by == "reactor";
                task.self_wakes += u32::from(own);
            }
            Step::Syscall {
                fd,
                result,
                call,
                errno,
                n,
            } => {
                // The end of a stream is always readable: to read it again is no progress.
                let moved = result != "would_block" && *n != Some(0);
                let key = self.keys.entry(*fd).or_default();
                key.untried = false;
                if moved {
                    key.reported = 0;
                }
                if let Some(task) = self.running.and_then(|task| self.tasks.get_mut(&task)) {
                    task.moved |= moved;
                    task.blocked |= !moved;
                    if result == "short" {
                        task.cut = Some(*fd);
                    } else if moved && task.cut == Some(*fd) {
                        task.cut = None;
                    }
                }
                if *errno == Some(BAD_FD) {
                    let text = format!(
                        "{call} on fd {fd} answered EBADF: the fd was closed while somebody still \
                         used its number; the next socket may get the same one"
                    );
                    self.hit("closed-fd", event, text);
                }
            }
            Step::WakerStored { fd, dir, .. }
                if dir == "R" && self.keys.get(fd).is_some_and(|key| key.untried) =>
            {
                let text = format!(
                    "a waker was stored for fd {fd} after the kernel had reported it ready, and \
                     no call was tried in between: with edges, that report was the last"
                );
                self.hit("stored-too-late", event, text);
            }
            Step::SelectEnd { ready } => self.selected(event, ready),
            Step::Register { fd, .. } | Step::Unregister { fd } => {
                self.keys.remove(fd);
            }
            Step::Recorder { took } => {
                let running = self.running.and_then(|task| self.tasks.get_mut(&task));
                if let Some(task) = running {
                    task.recorded += took;
                }
            }
            Step::DropPending { task } => {
                if let Some(fd) = self.tasks.get(task).and_then(|task| task.cut) {
                    let text = format!(
                        "task {task} was dropped in the middle of a write to fd {fd}: the peer has \
                         a part of it, and does not know that the rest will not come"
                    );
                    self.hit("cut-write", event, text);
                }
            }
            Step::Lost { task } => {
                let text = format!(
                    "task {task} returned Pending, and no waker of it exists any more: nobody can \
                     ever wake it; a poll forgot to store the waker"
                );
                self.hit("lost-task", event, text);
            }
            _ => {}
        }
    }

    fn poll_end(&mut self, event: usize, now: u64, number: u32) {
        self.running = None;
        let Some(task) = self.tasks.get_mut(&number) else {
            return;
        };
        let took = now.saturating_sub(task.began + task.recorded);
        if task.woken_by_key && task.blocked && !task.moved {
            task.idle_wakes += 1;
        } else {
            task.idle_wakes = 0;
        }
        let idle = task.idle_wakes;
        if took > LONG_POLL {
            let text = format!(
                "a poll of task {number} took {} ms: meanwhile nobody else ran and no event was \
                 looked at; it blocks or computes",
                took / 1_000_000
            );
            self.hit("long-poll", event, text);
        }
        if idle == NO_PROGRESS {
            let text = format!(
                "task {number} was woken {idle} times in a row only to hear WouldBlock: somebody \
                 else takes what it is woken for, or it waits for the wrong direction"
            );
            self.hit("wake-without-progress", event, text);
        }
    }

    fn selected(&mut self, event: usize, ready: &[(u32, String)]) {
        for (fd, key) in &mut self.keys {
            if !ready.iter().any(|(ready, _)| ready == fd) {
                key.reported = 0;
            }
        }
        for (fd, conditions) in ready {
            let key = self.keys.entry(*fd).or_default();
            key.reported += 1;
            key.untried = conditions.contains('R');
            if key.reported == SPIN {
                let text = format!(
                    "select returned {SPIN} times in a row because of fd {fd} ({conditions}), and \
                     nothing was done about it: interest that nobody needs any more, or a hang-up \
                     that nobody handles; this burns a CPU"
                );
                self.hit("spin", event, text);
            }
        }
    }

    fn self_wakes(&mut self, event: usize) {
        let mut busy: Vec<(u32, u32, u32)> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.polls >= SELF_WAKES_FROM && task.self_wakes * 2 > task.polls)
            .map(|(number, task)| (*number, task.self_wakes, task.polls))
            .collect();
        busy.sort_unstable();
        for (task, wakes, polls) in busy {
            let text = format!(
                "task {task} woke itself in {wakes} of {polls} polls: it asks again and again \
                 instead of waiting to be told"
            );
            self.hit("self-wake", event, text);
        }
    }
}
