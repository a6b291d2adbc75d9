//! Why a task has no result.

use std::fmt;
use std::io;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use crate::task::foreign::Payload;

/// Why a task has no result.
pub struct JoinError(Reason);

enum Reason {
    Cancelled,
    /// In a box of its own: a pointer less in every result, and panics are rare.
    Panicked(Box<Panic>),
}

/// What a panic has left. Texts are told apart, because everybody may look at them; whatever else it
/// is may be taken out and not be shared, so that the error as a whole is `Sync`.
enum Panic {
    Literal(&'static str),
    Text(String),
    Other(Mutex<Payload>),
}

impl JoinError {
    /// The task was aborted, or its runtime is gone.
    pub(crate) fn cancelled() -> Self {
        JoinError(Reason::Cancelled)
    }

    /// The task panicked with this payload.
    #[cold]
    pub(crate) fn panicked(payload: Payload) -> Self {
        let panic = match payload.downcast::<&'static str>() {
            Ok(literal) => Panic::Literal(*literal),
            Err(payload) => match payload.downcast::<String>() {
                Ok(text) => Panic::Text(*text),
                Err(payload) => Panic::Other(Mutex::new(payload)),
            },
        };
        JoinError(Reason::Panicked(Box::new(panic)))
    }

    /// The task was aborted, or its runtime was dropped.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0, Reason::Cancelled)
    }

    /// The task panicked, or the destructors of its future when it was aborted.
    pub fn is_panic(&self) -> bool {
        matches!(self.0, Reason::Panicked(_))
    }

    /// Goes on with the task's panic on this thread.
    ///
    /// # Panics
    ///
    /// Always: with the task's payload, or with a text that says that it was cancelled.
    #[track_caller]
    pub fn resume_panic(self) -> ! {
        match self.0 {
            Reason::Cancelled => panic!("the task was cancelled"),
            Reason::Panicked(panic) => resume_unwind(match *panic {
                Panic::Literal(literal) => Box::new(literal),
                Panic::Text(text) => Box::new(text),
                Panic::Other(payload) => {
                    payload.into_inner().unwrap_or_else(PoisonError::into_inner)
                }
            }),
        }
    }

    /// The text of the task's panic, if it had one.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.0 {
            Reason::Panicked(panic) => match &**panic {
                Panic::Literal(literal) => Some(literal),
                Panic::Text(text) => Some(text),
                Panic::Other(_) => None,
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
        io::Error::other(error)
    }
}
