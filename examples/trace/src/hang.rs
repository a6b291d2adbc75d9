//! Why does it hang? Who sleeps when the trace ends, since when, where it was spawned, and where its
//! waker is.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Step, Trace};

/// A task that sleeps, or does not come back from its poll, when the trace ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asleep {
    /// Which.
    pub task: u32,
    /// Its name, if it has one.
    pub name: String,
    /// Where it was spawned, if that is told; `None` for the future of `block_on`.
    pub spawned: Option<String>,
    /// The event since which it does, as the timeline counts: from 1.
    pub event: usize,
    /// The time of that event, in nanoseconds; 0 in a golden trace.
    pub since: u64,
    /// Where its waker is.
    pub waker: Waker,
}

/// Where the waker of a task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waker {
    /// Here; each with the line that awaits it, where that is known.
    In(Vec<(Place, String)>),
    /// In no key and no timer: a channel, a handle of another task or another thread has it.
    Elsewhere,
    /// Nowhere: nobody can ever wake it.
    Nowhere,
    /// It is being polled, and has not come back.
    Running,
}

/// A place that the reactor knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The key of an fd, for reading.
    Reading(u32),
    /// The same, for writing.
    Writing(u32),
    /// A timer.
    Timer(u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Reading(fd) => write!(f, "the key of fd {fd}, which is not readable"),
            Place::Writing(fd) => write!(f, "the key of fd {fd}, which has no room"),
            Place::Timer(timer) => write!(f, "timer {timer}, which is not due"),
        }
    }
}

impl fmt::Display for Asleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.task)?;
        if !self.name.is_empty() {
            write!(f, " {:?}", self.name)?;
        }
        match self.spawned.as_deref() {
            None => write!(f, " (of block_on)")?,
            // A golden trace has no places.
            Some("") => {}
            Some(spawned) => write!(f, " (spawned at {spawned})")?,
        }
        let doing = match self.waker {
            Waker::Running => "is being polled",
            _ => "sleeps",
        };
        write!(f, " {doing} since event {}", self.event)?;
        if self.since != 0 {
            write!(f, ", at {:.3} ms", self.since as f64 / 1e6)?;
        }
        match &self.waker {
            Waker::In(places) => {
                for (number, (place, from)) in places.iter().enumerate() {
                    let before = if number == 0 {
                        "; its waker is in"
                    } else {
                        " and"
                    };
                    write!(f, "{before} {place}")?;
                    if !from.is_empty() {
                        write!(f, " (awaited at {from})")?;
                    }
                }
                Ok(())
            }
            Waker::Elsewhere => write!(
                f,
                "; its waker is in no key and no timer: a channel, a handle of another task or another \
                 thread has it"
            ),
            Waker::Nowhere => write!(f, "; its waker is nowhere: nobody can ever wake it"),
            Waker::Running => write!(f, ", and has not come back"),
        }
    }
}

/// What is known of a task while the trace is read.
#[derive(Default)]
pub(crate) struct Task {
    name: String,
    spawned: Option<String>,
    event: usize,
    since: u64,
    /// It sleeps, and nobody has called its waker since.
    pub(crate) asleep: bool,
    pub(crate) lost: bool,
    /// Where it has left wakers, and whether it did so in its last poll.
    pub(crate) wakers: Vec<(Place, String, bool)>,
}

/// All tasks, as far as the trace was read.
#[derive(Default)]
pub(crate) struct Sleepers {
    pub(crate) tasks: BTreeMap<u32, Task>,
    pub(crate) running: Option<u32>,
}

impl Sleepers {
    pub(crate) fn look(&mut self, step: &Step, event: usize, t: u64) {
        match step {
            Step::Spawn { task, from } => {
                let spawned = Some(from.clone());
                let new = Task {
                    spawned,
                    ..Task::default()
                };
                self.tasks.insert(*task, new);
            }
            Step::Named { task, name } => self.task(*task).name.clone_from(name),
            Step::PollBegin { task } => {
                self.running = Some(*task);
                let task = self.task(*task);
                (task.asleep, task.lost, task.event, task.since) = (false, false, event, t);
                task.wakers
                    .iter_mut()
                    .for_each(|(_, _, fresh)| *fresh = false);
            }
            Step::PollEnd { task, ready } => {
                self.running = None;
                let task = self.task(*task);
                (task.asleep, task.event, task.since) = (!ready, event, t);
            }
            Step::Wake { task, .. } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.asleep = false;
                }
            }
            Step::Done { task } | Step::DropPending { task } => {
                self.tasks.remove(task);
            }
            Step::Lost { task } => self.task(*task).lost = true,
            Step::WakerStored { fd, dir, from, .. } => self.left(place(*fd, dir), from),
            Step::TimerSet { timer, from, .. } => self.left(Place::Timer(*timer), from),
            Step::TimerFired { timer } => self.gone(|place| place == Place::Timer(*timer)),
            Step::SelectEnd { ready } => {
                for (fd, how) in ready {
                    let both = how.contains(['H', 'E']);
                    if both || how.contains(['R', 'C']) {
                        self.gone(|place| place == Place::Reading(*fd));
                    }
                    if both || how.contains('W') {
                        self.gone(|place| place == Place::Writing(*fd));
                    }
                }
            }
            Step::Unregister { fd } => {
                self.gone(|place| [Place::Reading(*fd), Place::Writing(*fd)].contains(&place));
            }
            _ => {}
        }
    }

    fn task(&mut self, task: u32) -> &mut Task {
        self.tasks.entry(task).or_default()
    }

    fn left(&mut self, place: Place, from: &str) {
        let Some(running) = self.running else { return };
        let wakers = &mut self.task(running).wakers;
        wakers.retain(|(known, ..)| *known != place);
        wakers.push((place, from.to_owned(), true));
    }

    fn gone(&mut self, is: impl Fn(Place) -> bool) {
        for task in self.tasks.values_mut() {
            task.wakers.retain(|(place, ..)| !is(*place));
        }
    }
}

impl Task {
    /// Where its waker is: where it was left in the last poll, or else where it was left before, if
    /// nothing has happened there since.
    pub(crate) fn waker(&self) -> Waker {
        if self.lost {
            return Waker::Nowhere;
        }
        let fresh = self.wakers.iter().any(|(_, _, fresh)| *fresh);
        let places = self.wakers.iter().filter(|(_, _, is)| *is || !fresh);
        let places: Vec<_> = places
            .map(|(place, from, _)| (*place, from.clone()))
            .collect();
        match places.is_empty() {
            true => Waker::Elsewhere,
            false => Waker::In(places),
        }
    }
}

fn place(fd: u32, dir: &str) -> Place {
    match dir {
        "W" => Place::Writing(fd),
        _ => Place::Reading(fd),
    }
}

/// Who sleeps when the trace ends, or does not come back from its poll; nobody if the program came to
/// its end.
///
/// ```
/// let text = "{\"trace\":\"reactor\",\"version\":1,\"backend\":\"poll\",\"trigger\":\"level\"}\n\
///             {\"t\":5,\"e\":\"spawn\",\"task\":1,\"from\":\"src/main.rs:12\"}\n\
///             {\"t\":6,\"e\":\"poll_begin\",\"task\":1}\n\
///             {\"t\":7,\"e\":\"waker_stored\",\"fd\":3,\"dir\":\"R\",\"crowded\":false,\"from\":\"src/main.rs:14\"}\n\
///             {\"t\":8,\"e\":\"poll_end\",\"task\":1,\"ready\":false}\n\
///             {\"t\":9,\"e\":\"select_begin\",\"timeout\":null,\"keys\":1}\n";
/// let asleep = trace::hang::asleep(&trace::Trace::parse(text)?);
/// assert_eq!(
///     asleep[0].to_string(),
///     "task 1 (spawned at src/main.rs:12) sleeps since event 4, at 0.000 ms; its waker is in the key of \
///      fd 3, which is not readable (awaited at src/main.rs:14)"
/// );
/// # Ok::<(), trace::Bad>(())
/// ```
#[must_use]
pub fn asleep(trace: &Trace) -> Vec<Asleep> {
    let mut sleepers = Sleepers::default();
    let mut event = 0;
    for line in &trace.lines {
        if matches!(line.step, Step::Recorder { .. }) {
            continue;
        }
        event += 1;
        sleepers.look(&line.step, event, line.t);
    }
    let running = sleepers.running;
    let tasks = sleepers.tasks.into_iter();
    let asleep = tasks.filter(|(number, task)| task.asleep || running == Some(*number));
    asleep
        .map(|(number, task)| Asleep {
            task: number,
            event: task.event,
            since: task.since,
            waker: match running == Some(number) {
                true => Waker::Running,
                false => task.waker(),
            },
            name: task.name,
            spawned: task.spawned,
        })
        .collect()
}
