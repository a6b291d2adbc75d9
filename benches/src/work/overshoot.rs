//! How late a sleep ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::runtime::Runtime;

/// Sleeps at least, however long each takes.
const FEWEST: usize = 10;

/// One task sleeps `asked`, again and again for `duration`. Tells for each how long it really was,
/// less what was asked, in nanoseconds: below zero is early.
pub fn overshoot<R: Runtime>(asked: Duration, duration: Duration) -> Vec<i64> {
    let told = Rc::new(RefCell::new(Vec::new()));
    let result = told.clone();
    R::run(async move {
        R::spawn(async move {
            // The first sleep pays for pages and for threads that a runtime starts.
            R::sleep(asked).await;
            let first = Instant::now();
            let mut late = Vec::new();
            while late.len() < FEWEST || first.elapsed() < duration {
                let begin = Instant::now();
                R::sleep(asked).await;
                late.push(begin.elapsed().as_nanos() as i64 - asked.as_nanos() as i64);
            }
            *told.borrow_mut() = late;
        })
        .await;
    });
    result.take()
}
