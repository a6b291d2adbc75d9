//! Exercise 7: a ready queue in which each task is once at most.
//!
//! Ten reports for one task should not make it run ten times. But no wake may be lost either, and
//! a wake may come at any moment: from another thread, or while the task is being polled.
//!
//! ```text
//! cargo run -p exercises -- check e07
//! ```

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
    /// To be used.
    queued: AtomicBool,
    queue: Arc<Mutex<VecDeque<Arc<Task>>>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        // To be changed: every wake is another place in the queue.
        self.queued.store(true, Ordering::SeqCst);
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
        poll(task.number);
        true
    }
}
