//! Lints: what is suspicious in a trace, found from its events alone.
//!
//! Each looks for one mistake that everybody makes once. None fires on a sound program: a test
//! runs them over the traces of the whole ladder.
//!
//! | lint | fires when |
//! |---|---|
//! | `lost-task` | a task sleeps, and its last waker is gone |
//! | `ready-but-asleep` | a key was reported ready, and the task that waits for it was not woken |
//! | `self-wake` | a task wakes itself in more than half of its polls |
//! | `long-poll` | one poll took more than 100 ms, those not counted in which the machine was busy with others |
//! | `wake-without-progress` | a task was woken by its key 8 times in a row, for WouldBlock only |
//! | `spin` | select returned 8 times in a row with a key that nobody does anything about |
//! | `key-without-waiter` | the thread sleeps over a key in which no waker is stored |
//! | `stored-too-late` | a waker was stored after the report that it was meant for |
//! | `closed-fd` | an fd was closed, or its number given away, while somebody still used it |
//! | `cut-write` | a task was dropped in the middle of a write |

mod keys;
mod tasks;

use std::fmt;

use crate::{Step, Trace};
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
        write!(f, "{} at event {}: {}", self.lint, self.event, self.text)
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
        let event = self.event;
        self.found.push(Hit { lint, event, text });
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
    let mut running = None;
    for line in &trace.lines {
        if !matches!(line.step, Step::Recorder { .. }) {
            hits.event += 1;
        }
        if let Step::PollBegin { task } = line.step {
            running = Some(task);
        }
        tasks.look(line, running, &mut hits);
        keys.look(line, running, &mut hits);
        if let Step::PollEnd { .. } = line.step {
            running = None;
        }
    }
    let end = trace.lines.last().map_or(0, |line| line.t);
    tasks.end(end, running, &mut hits);
    let mut found = hits.found;
    found.sort_by_key(|hit| hit.event);
    found
}
