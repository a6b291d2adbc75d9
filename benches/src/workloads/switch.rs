//! From one task to the next: what the executor alone costs, and what it allocates.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::{TASKS, Workload, some, word};
use crate::method::allocations::allocations;
use crate::method::laps::laps;
use crate::method::{Facts, Outcome, Spec, Stopwatch};
use crate::report::Shown;
use crate::subjects::{Runtime, Visitor, in_a_task, step_back, with_runtime};

pub const WORKLOAD: Workload = Workload {
    who: TASKS,
    parameters: &[&[
        some("tasks", "1,100,10000", "How many tasks take part; ping-pong pairs them"),
        word(
            "operation",
            "yield,spawn-join,ping-pong",
            OPERATIONS,
            "yield: each task wakes itself and steps back, so that all take turns; spawn-join: all \
             are spawned, ready at once, and then joined; ping-pong: pairs answer each other over \
             channels",
        ),
    ]],
    costs: &[("ns_per_switch", 0.0)],
    least: 1.0,
    ..Workload::new(
        Shown::table("switch", "From task to task", COLUMNS),
        "From task to task, in one thread: nanoseconds for each switch (of spawn-join, each task), \
         allocations for each task",
        measure,
    )
};

const OPERATIONS: &[&str] = &["yield", "spawn-join", "ping-pong"];
const COLUMNS: &[(&str, &str, f64)] =
    &[("ns/switch", "ns_per_switch", 1.0), ("allocs/task", "allocations_per_task", 1.0)];

/// Laps on a runtime, each of which begins with spawning the tasks and ends with joining them.
struct Switch<'a>(&'a Spec);

impl Visitor for Switch<'_> {
    type Output = Facts;

    fn visit<R: Runtime>(self) -> Facts {
        let (duration, tasks) = (self.0.duration(), self.0.count("tasks").max(1));
        let operation = self.0.choice("operation").to_owned();
        in_a_task::<R, _>(async move {
            laps(duration, async || lap::<R>(&operation, tasks).await).await
        })
    }
}

fn measure(spec: &Spec) -> Result<Outcome, String> {
    Ok(Outcome::of(&on_runtime(spec, Switch(spec))?))
}

pub fn on_runtime<V: Visitor>(spec: &Spec, work: V) -> Result<V::Output, String> {
    let told = with_runtime(spec.program(), work);
    told.ok_or_else(|| format!("no runtime with tasks is named {}", spec.subject))
}

async fn lap<R: Runtime>(operation: &str, tasks: usize) -> Facts {
    // Switches of each task: so many that spawning it does not count.
    let times = (100_000 / tasks).clamp(200, 10_000) as u64;
    let pairs = tasks.div_ceil(2);
    let channels: Vec<_> =
        (0..pairs).map(|_| (Rc::new(Channel::default()), Rc::new(Channel::default()))).collect();
    let mut joins = Vec::with_capacity(2 * tasks.max(pairs));
    let before = allocations();
    let begin = Stopwatch::begin();
    match operation {
        "yield" => joins.extend((0..tasks).map(|_| R::spawn(step_back(times)))),
        "spawn-join" => joins.extend((0..tasks).map(|_| R::spawn(async {}))),
        _ => {
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
    let switches = match operation {
        "spawn-join" => spawned,
        _ => spawned * times as f64,
    };
    vec![
        ("ns_per_switch", nanoseconds / switches),
        ("allocations_per_task", allocated / spawned),
        ("switches", switches),
    ]
}

/// The smallest channel within a thread: a message is that there is one. The same for every runtime, so
/// that only its wakes and polls differ.
#[derive(Default)]
struct Channel {
    full: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Channel {
    fn send(&self) {
        self.full.set(true);
        // Taken first: waking may run code that sends again.
        let waiting = self.waiting.borrow_mut().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    async fn receive(&self) {
        poll_fn(|context| {
            if self.full.replace(false) {
                return Poll::Ready(());
            }
            *self.waiting.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
