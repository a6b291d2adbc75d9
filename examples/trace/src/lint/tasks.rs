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
    /// The fd of a write that came up short, and has not gone on.
    cut: Option<u32>,
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
pub(super) struct Tasks(HashMap<u32, Task>);

impl Tasks {
    pub(super) fn look(&mut self, line: &Line, running: Option<u32>, hits: &mut Hits) {
        match &line.step {
            Step::PollBegin { task } => {
                let task = self.0.entry(*task).or_default();
                (task.began, task.recorded, task.held_up) = (line.t, 0, 0);
                task.polls += 1;
                (task.moved, task.blocked) = (false, false);
            }
            Step::PollEnd { task, .. } => self.poll_end(line.t, *task, hits),
            Step::Wake { task, by, .. } => {
                let own = running == Some(*task);
                let task = self.0.entry(*task).or_default();
                task.woken_by_key = by == "reactor";
                task.self_wakes += u32::from(own);
            }
            Step::Syscall { fd, result, n, .. } => {
                let Some(task) = running.and_then(|task| self.0.get_mut(&task)) else {
                    return;
                };
                // The end of a stream is always readable: to read it again is no progress.
                let moved = result != "would_block" && *n != Some(0);
                task.moved |= moved;
                task.blocked |= !moved;
                if result == "short" {
                    task.cut = Some(*fd);
                } else if moved && task.cut == Some(*fd) {
                    task.cut = None;
                }
            }
            Step::Recorder { took, held_up, .. } => {
                if let Some(task) = running.and_then(|task| self.0.get_mut(&task)) {
                    task.recorded = task.recorded.saturating_add(*took);
                    // Each says it of the whole poll.
                    task.held_up = task.held_up.max(held_up.unwrap_or(0));
                }
            }
            Step::DropPending { task } => {
                if let Some(fd) = self.0.get(task).and_then(|task| task.cut) {
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

    fn poll_end(&mut self, now: u64, number: u32, hits: &mut Hits) {
        let Some(task) = self.0.get_mut(&number) else {
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
        let hung = running.and_then(|number| Some((number, self.0.get(&number)?.took(now))));
        if let Some((number, took)) = hung.filter(|(_, took)| *took > LONG_POLL) {
            let text = format!(
                "a poll of task {number} had not come back after {} ms, when the trace ends: nobody \
                 else ran and no event was looked at; it blocks or computes",
                took / 1_000_000
            );
            hits.hit("long-poll", text);
        }
        let mut busy: Vec<(u32, u32, u32)> = self
            .0
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
