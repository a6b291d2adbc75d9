//! What a task does wrong: it blocks, it asks again and again, or it is forgotten.

use std::collections::HashMap;

use super::Hits;
use crate::{Line, Step};

/// A poll that takes longer, in nanoseconds, holds everybody else up.
const LONG_POLL: u64 = 100_000_000;
/// Polls of a task before the share of its own wakes means anything.
const SELF_WAKES_FROM: u32 = 32;
/// Polls in a row, after wakes by the reactor, that only hear WouldBlock.
const NO_PROGRESS: u32 = 8;
/// Timers in a row that fire before the thread has slept.
const ZERO_SLEEPS: u32 = 16;
/// A timer that took longer, in nanoseconds, was not due at once.
const AT_ONCE: u64 = 200_000;

/// What one task has done so far.
#[derive(Default)]
struct Task {
    polls: u32,
    /// Wakes of itself, during its own poll.
    self_wakes: u32,
    /// When its poll began, and how long the recorder was at work in it.
    began: u64,
    recorded: u64,
    /// How long it could have run in this poll and did not, because the machine was busy.
    held_up: u64,
    /// Its last wake came from the reactor.
    woken_by_key: bool,
    /// In this poll: calls that moved something, and calls that heard WouldBlock.
    moved: bool,
    blocked: bool,
    idle_wakes: u32,
    /// What came up short, and has not gone on.
    cut: Option<Cut>,
    /// Its timers that fired at once, since something else came of a poll.
    zero_sleeps: u32,
    told_zero: bool,
}

/// An operation of several calls, of which one moved a part.
#[derive(Clone, Copy)]
struct Cut {
    fd: u32,
    writes: bool,
    /// It waits for the rest, and the key has not been reported since.
    waits: bool,
}

/// A timer that was set.
struct Timer {
    task: Option<u32>,
    set: u64,
    /// How often the thread had slept by then.
    sleeps: u64,
    /// The line that awaits it.
    from: String,
    /// It was said that nobody else goes on with its future.
    told_alone: bool,
}

impl Task {
    /// How long it has been in this poll without being held up by anybody else.
    fn took(&self, now: u64) -> u64 {
        let others = self.recorded.saturating_add(self.held_up);
        now.saturating_sub(self.began).saturating_sub(others)
    }
}

/// All tasks of a trace.
#[derive(Default)]
pub(super) struct Tasks {
    tasks: HashMap<u32, Task>,
    timers: HashMap<u32, Timer>,
    /// How often the thread has slept.
    sleeps: u64,
}

impl Tasks {
    pub(super) fn look(&mut self, line: &Line, running: Option<u32>, hits: &mut Hits) {
        match &line.step {
            Step::PollBegin { task } => {
                let task = self.tasks.entry(*task).or_default();
                (task.began, task.recorded, task.held_up) = (line.t, 0, 0);
                task.polls += 1;
                (task.moved, task.blocked) = (false, false);
            }
            Step::PollEnd { task, .. } => self.poll_end(line.t, *task, hits),
            Step::Wake { task, by, .. } => {
                let own = running == Some(*task);
                let task = self.tasks.entry(*task).or_default();
                task.woken_by_key = by == "reactor";
                // Who has used its budget up has done something, and is sent to the back of the queue.
                task.self_wakes += u32::from(own && by != "budget");
            }
            Step::Syscall {
                fd,
                call,
                result,
                n,
                ..
            } => {
                let Some(task) = running.and_then(|task| self.tasks.get_mut(&task)) else {
                    return;
                };
                // The end of a stream is always readable: to read it again is no progress.
                let moved = result != "would_block" && *n != Some(0);
                task.moved |= moved;
                task.blocked |= !moved;
                if moved {
                    task.zero_sleeps = 0;
                }
                let writes = call == "send";
                if result == "short" {
                    let waits = false;
                    task.cut = Some(Cut {
                        fd: *fd,
                        writes,
                        waits,
                    });
                } else if moved
                    && task
                        .cut
                        .is_some_and(|cut| (cut.fd, cut.writes) == (*fd, writes))
                {
                    task.cut = None;
                }
            }
            Step::WakerStored { fd, dir, .. } => {
                let Some((number, task)) =
                    running.and_then(|task| Some((task, self.tasks.get_mut(&task)?)))
                else {
                    return;
                };
                match &mut task.cut {
                    Some(cut) if (cut.fd, cut.writes) == (*fd, dir == "W") => {
                        // Whoever goes on waiting has its waker there already.
                        if cut.waits {
                            let text = cut_text(number, *cut);
                            task.cut = None;
                            hits.hit(if dir == "W" { "cut-write" } else { "cut-read" }, text);
                        } else {
                            cut.waits = true;
                        }
                    }
                    _ => {}
                }
            }
            Step::SelectBegin { timeout, .. } => self.sleeps += u64::from(*timeout != Some(0)),
            Step::SelectEnd { ready } => {
                for cut in self.tasks.values_mut().filter_map(|task| task.cut.as_mut()) {
                    cut.waits &= !ready.iter().any(|(fd, _)| *fd == cut.fd);
                }
            }
            Step::Unregister { fd } => {
                for task in self.tasks.values_mut() {
                    task.cut = task.cut.filter(|cut| cut.fd != *fd);
                }
            }
            Step::TimerSet { timer, from, .. } => {
                let new = Timer {
                    task: running,
                    set: line.t,
                    sleeps: self.sleeps,
                    from: from.clone(),
                    told_alone: false,
                };
                self.timers.insert(*timer, new);
            }
            Step::TimerAlone { timer } => {
                let timer = self.timers.get_mut(timer);
                let Some(timer) = timer.filter(|timer| !timer.told_alone) else {
                    return;
                };
                timer.told_alone = true;
                let from = match timer.from.as_str() {
                    "" => String::new(),
                    from => format!(" (awaited at {from})"),
                };
                let who = running.map_or("a program".into(), |task| format!("task {task}"));
                let text = format!(
                    "a future in a timeout of {who}{from} returned Pending and kept no waker: whatever it \
                     waits for may come, and only the time ends its sleep; a poll forgot to store the \
                     waker, or, if it is meant never to end, a sleep says so"
                );
                hits.hit("timer-alone", text);
            }
            Step::TimerFired { timer } => self.fired(*timer, line.t, hits),
            Step::Recorder { took, held_up, .. } => {
                if let Some(task) = running.and_then(|task| self.tasks.get_mut(&task)) {
                    task.recorded = task.recorded.saturating_add(*took);
                    // Each says it of the whole poll.
                    task.held_up = task.held_up.max(held_up.unwrap_or(0));
                }
            }
            Step::DropPending { task } => {
                let cut = self.tasks.get(task).and_then(|task| task.cut);
                if let Some(Cut { fd, .. }) = cut.filter(|cut| cut.writes) {
                    let text = format!(
                        "task {task} was dropped in the middle of a write to fd {fd}: the peer has \
                         a part of it, and does not know that the rest will not come"
                    );
                    hits.hit("cut-write", text);
                }
            }
            Step::Lost { task } => {
                let text = format!(
                    "task {task} returned Pending, and no waker of it exists any more: nobody can \
                     ever wake it; a poll forgot to store the waker, or kept the one of another task"
                );
                hits.hit("lost-task", text);
            }
            _ => {}
        }
    }

    /// A timer was due: at once, and that again and again?
    fn fired(&mut self, timer: u32, now: u64, hits: &mut Hits) {
        let Some(timer) = self.timers.remove(&timer) else {
            return;
        };
        let Some((number, task)) = timer
            .task
            .and_then(|task| Some((task, self.tasks.get_mut(&task)?)))
        else {
            return;
        };
        if timer.sleeps != self.sleeps {
            task.zero_sleeps = 0;
        } else if now != 0 && now - timer.set.min(now) < AT_ONCE {
            // A golden trace has no times; and on a busy machine a look may take long.
            task.zero_sleeps = task.zero_sleeps.saturating_add(1);
        }
        if task.zero_sleeps == ZERO_SLEEPS && !task.told_zero {
            task.told_zero = true;
            let text = format!(
                "task {number} slept {ZERO_SLEEPS} times in a row until a time that had come already, and \
                 did nothing in between: it asks again and again, and the thread never sleeps"
            );
            hits.hit("zero-sleep", text);
        }
    }

    fn poll_end(&mut self, now: u64, number: u32, hits: &mut Hits) {
        let Some(task) = self.tasks.get_mut(&number) else {
            return;
        };
        let took = task.took(now);
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
            hits.hit("long-poll", text);
        }
        if idle == NO_PROGRESS {
            let text = format!(
                "task {number} was woken {idle} times in a row only to hear WouldBlock: somebody \
                 else takes what it is woken for, or it waits for the wrong direction"
            );
            hits.hit("wake-without-progress", text);
        }
    }

    /// What can be told only of a whole trace, which ends at `now`.
    pub(super) fn end(&self, now: u64, running: Option<u32>, hits: &mut Hits) {
        let hung = running.and_then(|number| Some((number, self.tasks.get(&number)?.took(now))));
        if let Some((number, took)) = hung.filter(|(_, took)| *took > LONG_POLL) {
            let text = format!(
                "a poll of task {number} had not come back after {} ms, when the trace ends: nobody \
                 else ran and no event was looked at; it blocks or computes",
                took / 1_000_000
            );
            hits.hit("long-poll", text);
        }
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
            hits.hit("self-wake", text);
        }
    }
}

fn cut_text(task: u32, cut: Cut) -> String {
    let fd = cut.fd;
    match cut.writes {
        true => format!(
            "task {task} gave up a write to fd {fd} of which a part had gone out, and waits for room again: \
             the peer takes what comes next for the rest of the first"
        ),
        false => format!(
            "task {task} gave up a read from fd {fd} of which a part had come, and began another one: \
             the bytes that had come are lost, unless somebody kept them and their number"
        ),
    }
}
