//! The judge of exercise 9: tries every order in which the steps of a loop and of two wakers can
//! happen. Each step is atomic, and all threads see the same order of steps (what `SeqCst` gives);
//! the runtime's own handshake is tried with weaker orders, too, by loom, in `executor/src/wake/inbox.rs`.

use std::collections::HashSet;

use crate::verdict::demand;
use crate::{Judged, Wrong};

/// A step of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoopStep {
    /// Is anybody in the queue? Then the loop does not sleep, and goes on to poll.
    LookIntoQueue,
    /// Tells wakers: from now on, notify me.
    SayAsleep,
    /// Sleeps in select until the notifier is written to; returns at once if it was already.
    Sleep,
}

/// A step of a waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WakerStep {
    /// Puts the task into the queue.
    Push,
    /// Writes to the notifier, whatever the loop does: a system call.
    Notify,
    /// Writes to the notifier if the loop has said that it is asleep.
    NotifyIfAsleep,
}

/// How many wakers there are beside the loop.
const WAKERS: usize = 2;

/// Everything that the threads share, and where each stands.
#[derive(Clone, Default)]
struct World {
    queued: usize,
    said_asleep: bool,
    notified: bool,
    notifications: usize,
    at: [usize; 1 + WAKERS],
    /// The loop goes on to poll.
    awake: bool,
    told: Vec<String>,
}

/// Tries all orders.
///
/// # Errors
///
/// An order in which the loop sleeps while a task is queued, step by step.
pub fn judge(looping: &[LoopStep], waker: &[WakerStep]) -> Judged {
    demand(looping.last() == Some(&LoopStep::Sleep), || {
        "the loop has to sleep at last: a loop that never does burns a CPU".into()
    })?;
    demand(waker.contains(&WakerStep::Push), || {
        "a wake that pushes nobody into the queue wakes nobody".into()
    })?;
    demand(each_once(looping) && each_once(waker), || {
        "each step once, please: to do one twice makes the gap smaller, and does not close it"
            .into()
    })?;
    try_all(World::default(), looping, waker)?;
    costs_nothing_while_awake(waker)
}

fn each_once<T: std::hash::Hash + Eq>(steps: &[T]) -> bool {
    let mut seen = HashSet::new();
    steps.iter().all(|step| seen.insert(step))
}

/// From here on, whoever can take a step takes it: one world for each choice.
fn try_all(world: World, looping: &[LoopStep], waker: &[WakerStep]) -> Judged {
    let mut over = true;
    for thread in 0..=WAKERS {
        let mut next = world.clone();
        let stepped = match thread {
            0 => next.step_of_loop(looping),
            number => next.step_of_waker(number, waker),
        };
        if stepped {
            over = false;
            try_all(next, looping, waker)?;
        }
    }
    // Nobody can go on: either the loop polls, or it sleeps and has missed nobody.
    let lost = over && !world.awake && world.queued > 0;
    demand(!lost, || {
        let steps = world.told.iter().zip(1..);
        let steps: Vec<String> = steps.map(|(step, n)| format!("    {n}. {step}")).collect();
        format!(
            "a wake is lost. The loop sleeps, a task is in the queue, and nobody will ever \
             notify:\n\n{}",
            steps.join("\n")
        )
    })
}

impl World {
    fn tell(&mut self, who: &str, what: &str) {
        self.told.push(format!("{who:8} {what}"));
    }

    fn step_of_loop(&mut self, steps: &[LoopStep]) -> bool {
        let Some(step) = steps.get(self.at[0]).filter(|_| !self.awake) else {
            return false;
        };
        match step {
            LoopStep::LookIntoQueue if self.queued > 0 => {
                self.awake = true;
                self.tell("loop", "looks into the queue: a task; it does not sleep");
            }
            LoopStep::LookIntoQueue => self.tell("loop", "looks into the queue: empty"),
            LoopStep::SayAsleep => {
                self.said_asleep = true;
                self.tell("loop", "says that it is asleep");
            }
            LoopStep::Sleep if self.notified => {
                self.awake = true;
                self.tell("loop", "was notified, and goes on");
            }
            LoopStep::Sleep => {
                let asleep = "sleeps in select";
                if self.told.iter().any(|step| step.ends_with(asleep)) {
                    return false;
                }
                // It stays at this step until somebody notifies.
                self.tell("loop", asleep);
                return true;
            }
        }
        self.at[0] += 1;
        true
    }

    fn step_of_waker(&mut self, number: usize, steps: &[WakerStep]) -> bool {
        let Some(step) = steps.get(self.at[number]) else {
            return false;
        };
        let who = format!("waker {number}");
        match step {
            WakerStep::Push => {
                self.queued += 1;
                self.tell(&who, "pushes its task into the queue");
            }
            WakerStep::NotifyIfAsleep if !self.said_asleep => {
                self.tell(&who, "finds the loop awake, and does not notify");
            }
            WakerStep::Notify | WakerStep::NotifyIfAsleep => {
                self.notified = true;
                self.notifications += 1;
                self.tell(&who, "notifies");
            }
        }
        self.at[number] += 1;
        true
    }
}

/// A wake while the loop polls others, and is not about to sleep at all.
fn costs_nothing_while_awake(waker: &[WakerStep]) -> Judged {
    let mut world = World::default();
    while world.step_of_waker(1, waker) {}
    match world.notifications {
        0 => Ok(()),
        _ => Err(Wrong::new(
            "no wake is lost. But the waker notifies a loop that is awake, and would look into the \
             queue by itself: a system call for each wake. Can the waker know?",
        )),
    }
}
