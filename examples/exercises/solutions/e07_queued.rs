//! Exercise 7, solved.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use exercises::e07::Queue;

/// Tasks that were woken, first come first served.
#[derive(Default)]
pub struct ReadyQueue {
    tasks: Arc<Mutex<VecDeque<Arc<Task>>>>,
}

/// One task, and where it queues.
struct Task {
    number: usize,
    /// Set by the wake that queues it, cleared when it leaves the queue.
    queued: AtomicBool,
    queue: Arc<Mutex<VecDeque<Arc<Task>>>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        // Looked at and set in one step: of two wakes at the same time, one queues.
        if self.queued.swap(true, Ordering::SeqCst) {
            return;
        }
        let queue = Arc::clone(&self.queue);
        queue.lock().unwrap().push_back(self);
    }
}

impl Queue for ReadyQueue {
    fn task(&self, number: usize) -> Waker {
        Waker::from(Arc::new(Task {
            number,
            queued: AtomicBool::new(false),
            queue: Arc::clone(&self.tasks),
        }))
    }

    fn run_one(&self, poll: impl FnOnce(usize)) -> bool {
        // Not in the condition: the lock would be held while the task is polled.
        let next = self.tasks.lock().unwrap().pop_front();
        let Some(task) = next else {
            return false;
        };
        // Cleared before the poll: a wake during it may be about something that the poll has looked
        // at already, so it counts as a new one.
        task.queued.store(false, Ordering::SeqCst);
        poll(task.number);
        true
    }
}
