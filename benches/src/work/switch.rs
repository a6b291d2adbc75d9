//! From one task to the next: what the executor alone costs, and what it allocates.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::channel::Channel;
use super::{Facts, laps};
use crate::allocations::allocations;
use crate::runtime::Runtime;

/// Why one task runs after another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Switching {
    /// Each task wakes itself and steps back: all tasks take turns, as in a ring.
    Yield,
    /// All tasks are spawned, ready at once, and then joined.
    SpawnJoin,
    /// Pairs of tasks answer each other over channels.
    PingPong,
}

impl Switching {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Yield, Self::SpawnJoin, Self::PingPong];

    /// As on command lines.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yield => "yield",
            Self::SpawnJoin => "spawn-join",
            Self::PingPong => "ping-pong",
        }
    }

    /// Looks one up by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Lets `tasks` tasks run after one another for `duration`, in laps that each begin with spawning
/// them and end with joining them. Tells nanoseconds for each switch (for spawn-join: for each
/// task), allocations for each task from its spawning to its end, and switches in a lap.
pub fn switch<R: Runtime>(switching: Switching, tasks: usize, duration: Duration) -> Facts {
    let told = Rc::new(RefCell::new(Facts::new()));
    let result = told.clone();
    R::run(async move {
        // In a task of its own, for that is where programs live.
        R::spawn(async move {
            let facts = laps(duration, async || lap::<R>(switching, tasks.max(1)).await).await;
            *told.borrow_mut() = facts;
        })
        .await;
    });
    result.take()
}

/// Switches of each task in a lap: so many that spawning it does not count.
fn times(tasks: usize) -> u64 {
    (100_000 / tasks).clamp(200, 10_000) as u64
}

async fn lap<R: Runtime>(switching: Switching, tasks: usize) -> Facts {
    let times = times(tasks);
    let pairs = tasks.div_ceil(2);
    let channels: Vec<_> = (0..pairs)
        .map(|_| (Rc::new(Channel::default()), Rc::new(Channel::default())))
        .collect();
    let mut joins = Vec::with_capacity(2 * tasks.max(pairs));
    let before = allocations();
    let begin = Instant::now();
    match switching {
        Switching::Yield => joins.extend((0..tasks).map(|_| R::spawn(step_back(times)))),
        Switching::SpawnJoin => joins.extend((0..tasks).map(|_| R::spawn(async {}))),
        Switching::PingPong => {
            for (ping, pong) in channels {
                let (received, answered) = (ping.clone(), pong.clone());
                joins.push(R::spawn(async move {
                    for _ in 0..times {
                        received.receive().await;
                        answered.send();
                    }
                }));
                joins.push(R::spawn(async move {
                    for _ in 0..times {
                        ping.send();
                        pong.receive().await;
                    }
                }));
            }
        }
    }
    let spawned = joins.len() as f64;
    for task in &mut joins {
        task.await;
    }
    let nanoseconds = begin.elapsed().as_nanos() as f64;
    let allocated = (allocations() - before) as f64;
    let switches = match switching {
        Switching::SpawnJoin => spawned,
        Switching::Yield | Switching::PingPong => spawned * times as f64,
    };
    vec![
        ("ns_per_switch", nanoseconds / switches),
        ("allocations_per_task", allocated / spawned),
        ("switches", switches),
    ]
}

/// Wakes its task and returns Pending, so many times.
pub(super) async fn step_back(times: u64) {
    let mut left = times;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
