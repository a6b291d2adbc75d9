//! Why a task has no result.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::resume_unwind;

/// Why a task has no result.
pub struct JoinError(Reason);

enum Reason {
    Cancelled,
    /// In a box of its own: a pointer less in every result, and panics are rare.
    Panicked(Box<Payload>),
}

/// What a panic leaves.
type Payload = Box<dyn Any + Send>;

impl JoinError {
    /// The task was aborted, or its runtime is gone.
    pub(crate) fn cancelled() -> Self {
        JoinError(Reason::Cancelled)
    }

    /// The task panicked with this payload.
    #[cold]
    pub(crate) fn panicked(payload: Payload) -> Self {
        JoinError(Reason::Panicked(Box::new(payload)))
    }

    /// The task was aborted, or its runtime was dropped.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// The task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Reason::Panicked(_))
    }

    /// Goes on with the task's panic on this thread.
    ///
    /// # Panics
    ///
    /// Always: with the task's payload, or with a text that says that it was cancelled.
    pub fn resume_panic(self) -> ! {
        match self.0 {
            Reason::Panicked(payload) => resume_unwind(*payload),
            Reason::Cancelled => panic!("the task was cancelled"),
        }
    }

    /// The text of the task's panic, if it had one.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0 {
            Reason::Panicked(payload) => match payload.downcast_ref::<&str>() {
                Some(text) => Some(text),
                None => payload.downcast_ref::<String>().map(String::as_str),
            },
            Reason::Cancelled => None,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.panic_message()) {
            (Reason::Cancelled, _) => f.write_str("the task was cancelled"),
            (_, Some(message)) => write!(f, "the task panicked: {message}"),
            (_, None) => f.write_str("the task panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        // The payload of a panic is not `Sync`, so the text has to do.
        io::Error::other(error.to_string())
    }
}
