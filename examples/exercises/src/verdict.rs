//! What a judge says.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Content, or what is still wrong.
pub type Judged = Result<(), Wrong>;

/// What is still wrong, in words that help: what was tried, what happened, and why that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(String);

impl Wrong {
    /// These words.
    pub fn new(words: impl Into<String>) -> Wrong {
        Wrong(words.into())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// Goes on if `holds`, and gives up with these words if not.
pub(crate) fn demand(holds: bool, words: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(Wrong(words())) }
}

thread_local! {
    /// Is code of the learner's being polled on this thread? Whoever waits for the verdict looks.
    static POLLS: RefCell<Arc<AtomicBool>> = RefCell::default();
}

/// Who looks from another thread sees here whether this one is inside of a poll.
pub(crate) fn watch_polls() -> Arc<AtomicBool> {
    let polls = Arc::default();
    POLLS.set(Arc::clone(&polls));
    polls
}

/// Polls what the learner has written.
pub(crate) fn polling<R>(poll: impl FnOnce() -> R) -> R {
    let polls = POLLS.with_borrow(Arc::clone);
    polls.store(true, Ordering::SeqCst);
    let polled = poll();
    polls.store(false, Ordering::SeqCst);
    polled
}

/// An error of the machinery around an exercise, in the words of a judge.
pub(crate) fn failed(what: &str) -> impl Fn(std::io::Error) -> Wrong + '_ {
    move |error| Wrong(format!("{what} failed: {error}"))
}
