//! Lints: what is suspicious in a trace, found from its events alone.
//!
//! Each looks for one mistake that everybody makes once. None fires on a sound program: a test
//! runs them over the traces of the whole ladder.
//!
//! | lint | fires when |
//! |---|---|
//! | `lost-task` | a task sleeps, and its last waker is gone |
//! | `timer-alone` | a future in a `timeout` returned `Pending` and kept no waker, so that only the time can end it |
//! | `ready-but-asleep` | a key was reported ready, and the task that waits for it was not woken |
//! | `self-wake` | a task wakes itself in more than half of its polls |
//! | `long-poll` | one poll computed or blocked for more than 100 ms; time in which others had the processors is not counted (on Linux, which tells) |
//! | `wake-without-progress` | a task was woken by its key 8 times in a row, for WouldBlock only |
//! | `spin` | select returned 8 times in a row with a key that nobody does anything about |
//! | `key-without-waiter` | the thread sleeps over a key in which no waker is stored; by READ only once that has been reported |
//! | `stored-too-late` | a waker was stored after the report that it was meant for |
//! | `closed-fd` | an fd was closed, or its number given away, while somebody still used it |
//! | `cut-write` | a task was dropped in the middle of a write, or gave it up and waited for room again |
//! | `cut-read` | a task began another read in the middle of one that a part had come of |
//! | `zero-sleep` | a task slept 16 times in a row until a time that had come already, and did nothing else |
//! | `never-used` | a connection was accepted, and nobody has read, written or waited there |
//! | `deadlock` | all sleep for ever, no key or timer has their wakers, and no other thread has ever woken anybody |
//! | `blocking-call` | between two waits of a thread a call took more than 10 ms (only strace tells) |
//! | `one-event` | the kernel is asked for one event at a time, 32 times (only strace tells) |
//! | `read-again` | by level, most reads that found bytes are followed by one that finds none |

mod calls;
mod keys;
mod tasks;

use std::fmt;

use crate::hang::{Sleepers, Waker};
use crate::{Step, Trace, plain};
use calls::Calls;
use keys::Keys;
use tasks::Tasks;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which lint.
    pub lint: &'static str,
    /// The event that shows it, as the timeline counts: from 1, the recorder's own lines left out.
    pub event: usize,
    /// A sentence: what is wrong, and what it usually means.
    pub text: String,
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = plain(&self.text);
        write!(f, "{} at event {}: {text}", self.lint, self.event)
    }
}

/// The findings so far, and the event that is looked at.
#[derive(Default)]
struct Hits {
    event: usize,
    found: Vec<Hit>,
}

impl Hits {
    fn hit(&mut self, lint: &'static str, text: String) {
        self.found.push(self.here(lint, text));
    }

    /// It is not found yet: what follows decides.
    fn here(&self, lint: &'static str, text: String) -> Hit {
        let event = self.event;
        Hit { lint, event, text }
    }
}

/// All findings, one of a kind for each task or key, in the order of their events.
///
/// ```
/// let text = "{\"trace\":\"reactor\",\"version\":1,\"backend\":\"poll\",\"trigger\":\"level\"}\n\
///             {\"t\":5,\"at\":\"core.rs:1\",\"e\":\"lost\",\"task\":3}\n";
/// let hits = trace::lint::all(&trace::Trace::parse(text)?);
/// assert_eq!((hits[0].lint, hits[0].event), ("lost-task", 1));
/// # Ok::<(), trace::Bad>(())
/// ```
#[must_use]
pub fn all(trace: &Trace) -> Vec<Hit> {
    let mut hits = Hits::default();
    let mut tasks = Tasks::default();
    let mut keys = Keys::new(&trace.header);
    let mut calls = Calls::new(&trace.header);
    let mut sleepers = Sleepers::default();
    let mut from_elsewhere = false;
    let mut running = None;
    for line in &trace.lines {
        if !matches!(line.step, Step::Recorder { .. }) {
            hits.event += 1;
        }
        if let Step::PollBegin { task } = line.step {
            running = Some(task);
        }
        from_elsewhere |= match &line.step {
            Step::Wake { by, .. } => by == "thread",
            step => *step == Step::Notify,
        };
        sleepers.look(&line.step, hits.event, line.t);
        calls.look(line, &mut hits);
        tasks.look(line, running, &mut hits);
        keys.look(line, running, &mut hits);
        if let Step::PollEnd { .. } = line.step {
            running = None;
        }
    }
    let end = trace.lines.last().map_or(0, |line| line.t);
    tasks.end(end, running, &mut hits);
    if !from_elsewhere {
        deadlock(trace, &sleepers, &mut hits);
    }
    keys.end(&mut hits);
    let mut found = hits.found;
    found.sort_by_key(|hit| hit.event);
    found
}

/// The trace ends in a sleep that only another thread could end, and none has ever woken anybody.
fn deadlock(trace: &Trace, sleepers: &Sleepers, hits: &mut Hits) {
    let told = trace.lines.iter().rev();
    let mut last = told.filter(|line| !matches!(line.step, Step::Recorder { .. }));
    let for_ever =
        |line: &crate::Line| matches!(line.step, Step::SelectBegin { timeout: None, .. });
    let asleep = || sleepers.tasks.iter().filter(|(_, task)| task.asleep);
    let nowhere_known = asleep().all(|(_, task)| task.waker() == Waker::Elsewhere);
    if !last.next().is_some_and(for_ever) || asleep().count() < 2 || !nowhere_known {
        return;
    }
    let names: Vec<String> = asleep()
        .take(8)
        .map(|(number, _)| number.to_string())
        .collect();
    let text = format!(
        "tasks {} sleep, the thread sleeps for ever, and their wakers are in no key and no timer: only \
         another thread could wake one of them, and none has ever done so; they wait for each other",
        names.join(", ")
    );
    hits.hit("deadlock", text);
}
