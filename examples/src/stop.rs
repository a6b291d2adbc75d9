//! A request to stop that any number of tasks can wait for, beside what they do anyway.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Poll, Waker};

use slab::Slab;

/// Not requested at first; requested once, for ever.
#[derive(Default)]
pub struct Stop {
    requested: Cell<bool>,
    /// Who is to be told. A place is taken when an `unless` first waits, and vacated with it.
    waiting: RefCell<Slab<Waker>>,
}

impl Stop {
    /// Whether the stop has been requested.
    pub fn is_requested(&self) -> bool {
        self.requested.get()
    }

    /// Requests it: every `unless` that has nothing to show ends.
    pub fn request(&self) {
        self.requested.set(true);
        for (_, waker) in self.waiting.borrow().iter() {
            waker.wake_by_ref();
        }
    }

    /// The output of `future`, or `None` if it would still have to wait when the stop comes: then
    /// it is dropped, which cancels it. What is ready is ready, stop or no stop.
    pub async fn unless<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut place = Place {
            stop: self,
            key: None,
        };
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.is_requested() => Poll::Ready(None),
            Poll::Pending => {
                place.wait(cx.waker());
                Poll::Pending
            }
        })
        .await
    }
}

/// A place among those who wait; dropping it vacates it.
struct Place<'a> {
    stop: &'a Stop,
    key: Option<usize>,
}

impl Place<'_> {
    fn wait(&mut self, waker: &Waker) {
        let mut waiting = self.stop.waiting.borrow_mut();
        match self.key {
            Some(key) => waiting[key].clone_from(waker),
            None => self.key = Some(waiting.insert(waker.clone())),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.stop.waiting.borrow_mut().remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::rc::Rc;

    use super::Stop;

    #[test]
    fn ends_those_who_wait_and_leaves_no_waker_behind() {
        executor::block_on(async {
            let stop = Rc::new(Stop::default());
            let tasks = [(); 3].map(|()| {
                let stop = Rc::clone(&stop);
                executor::spawn(async move { stop.unless(pending::<()>()).await })
            });
            executor::yield_now().await;
            assert_eq!(stop.waiting.borrow().len(), 3);
            stop.request();
            for task in tasks {
                assert_eq!(task.await.expect("no panic"), None);
            }
            assert!(stop.waiting.borrow().is_empty());
        })
        .expect("the runtime runs");
    }

    #[test]
    fn what_is_ready_wins() {
        executor::block_on(async {
            let stop = Stop::default();
            assert_eq!(stop.unless(ready(7)).await, Some(7));
            stop.request();
            assert_eq!(stop.unless(ready(7)).await, Some(7));
            assert_eq!(stop.unless(pending::<()>()).await, None);
        })
        .expect("the runtime runs");
    }
}
