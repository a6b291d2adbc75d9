//! The judge of exercise 7: wakes at every moment, from one thread and from several.

use std::task::Waker;
use std::thread;

use crate::Judged;
use crate::verdict::demand;

/// A ready queue.
pub trait Queue: Default + Sync {
    /// A task of this number; its waker queues it.
    fn task(&self, number: usize) -> Waker;
    /// Takes the task at the head and polls it; false if there is none.
    fn run_one(&self, poll: impl FnOnce(usize)) -> bool;
}

/// Everybody in the queue, in order; ends after a thousand.
fn drain(queue: &impl Queue) -> Vec<usize> {
    let mut polled = Vec::new();
    while polled.len() < 1000 && queue.run_one(|task| polled.push(task)) {}
    polled
}

/// Wakes tasks, and looks who is polled.
///
/// # Errors
///
/// The first situation in which it is somebody else.
pub fn judge<Q: Queue>() -> Judged {
    let queue = Q::default();
    demand(!queue.run_one(|_| {}), || {
        "nobody was woken, and somebody was polled".into()
    })?;
    let tasks: Vec<Waker> = (0..3).map(|number| queue.task(number)).collect();
    for number in [2, 0, 1] {
        tasks[number].wake_by_ref();
    }
    let polled = drain(&queue);
    demand(polled == [2, 0, 1], || {
        format!("tasks 2, 0 and 1 were woken, in this order, and polled were {polled:?}")
    })?;
    for _ in 0..2 {
        tasks[1].wake_by_ref();
    }
    let polled = drain(&queue);
    demand(!polled.is_empty(), || {
        "task 1 had run before, was woken again, and was not polled: who clears the flag?".into()
    })?;
    demand(polled == [1], || {
        format!(
            "task 1 was woken twice before it ran, and polled were {polled:?}: once would have \
             been enough, since its poll sees what both wakes were about"
        )
    })?;
    tasks[0].wake_by_ref();
    queue.run_one(|_| tasks[0].wake_by_ref());
    let polled = drain(&queue);
    demand(polled == [0], || {
        format!(
            "task 0 was woken while it was being polled, and polled after that were {polled:?}. \
             Its poll may have looked already at what the wake is about, so it has to run once \
             more: the flag must be cleared before the poll, not after it"
        )
    })?;
    from_threads(&queue)
}

/// Four threads wake two tasks a thousand times each, while this one polls.
fn from_threads(queue: &impl Queue) -> Judged {
    let tasks = [queue.task(0), queue.task(1)];
    let mut longest = 0;
    thread::scope(|scope| {
        let threads = [0, 1, 2, 3].map(|_| {
            scope.spawn(|| {
                for _ in 0..1000 {
                    tasks.iter().for_each(Waker::wake_by_ref);
                }
            })
        });
        while threads.iter().any(|thread| !thread.is_finished()) {
            queue.run_one(|_| {});
        }
    });
    // Nobody wakes any more: what is left now is what was queued at the same time.
    longest = longest.max(drain(queue).len());
    demand(longest <= tasks.len(), || {
        format!("two tasks, woken by four threads, had {longest} places in the queue")
    })?;
    tasks.iter().for_each(Waker::wake_by_ref);
    let polled = drain(queue);
    demand(polled.len() == tasks.len(), || {
        format!("after wakes from four threads, a wake of both tasks queued {polled:?}")
    })
}
