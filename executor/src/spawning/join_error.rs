//! Why a task has no result.

use std::any::Any;
use std::fmt::{self, Write};
use std::io;
use std::mem::ManuallyDrop;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use crate::task::foreign::Payload;
use crate::task::id::Id;

/// Why a task has no result.
///
/// ```
/// executor::block_on(async {
///     let task = executor::spawn(async { panic!("lost") });
///     let id = task.id();
///     let error = task.await.map(|never: ()| never).unwrap_err();
///     assert!(error.is_panic() && error.id() == Some(id));
///     assert_eq!(error.panic_message(), Some("lost"));
///     assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "lost");
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct JoinError(Box<Ended>);

/// In a box: a result is no larger for it, and errors are rare.
struct Ended {
    id: Option<Id>,
    /// Always there. Its destructor is called by ours.
    reason: ManuallyDrop<Option<Reason>>,
}

/// Out of the way: whoever joins a task drops a result, which nearly never has an error in it.
impl Drop for Ended {
    #[cold]
    #[inline(never)]
    fn drop(&mut self) {
        *self.reason = None;
    }
}

enum Reason {
    Cancelled,
    /// A panic. Texts are told apart, because everybody may look at them; whatever else it is may be
    /// taken out and not be shared, so that the error as a whole is `Sync`.
    Literal(&'static str),
    Text(String),
    Other(Mutex<Payload>),
}

impl JoinError {
    fn new(id: Option<Id>, reason: Reason) -> Self {
        let reason = ManuallyDrop::new(Some(reason));
        JoinError(Box::new(Ended { id, reason }))
    }

    /// The task was aborted, or its runtime is gone.
    #[cold]
    pub(crate) fn cancelled(id: Option<Id>) -> Self {
        Self::new(id, Reason::Cancelled)
    }

    /// The task panicked with this payload.
    #[cold]
    pub(crate) fn panicked(id: Option<Id>, payload: Payload) -> Self {
        let reason = match payload.downcast::<&'static str>() {
            Ok(literal) => Reason::Literal(*literal),
            Err(payload) => match payload.downcast::<String>() {
                Ok(text) => Reason::Text(*text),
                Err(payload) => Reason::Other(Mutex::new(payload)),
            },
        };
        Self::new(id, reason)
    }

    /// Names the task. `None` if its runtime was gone before it was made.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        self.0.id
    }

    /// The task was aborted, or its runtime was dropped.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.0.reason, Some(Reason::Cancelled))
    }

    /// The task panicked, or the destructors of its future when it was aborted.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        !self.is_cancelled()
    }

    /// What the task panicked with.
    ///
    /// # Panics
    ///
    /// If it did not panic, but was cancelled.
    #[track_caller]
    #[must_use]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(_) => panic!("the task was cancelled"),
        }
    }

    /// What the task panicked with, or this error again if it was cancelled.
    pub fn try_into_panic(mut self) -> Result<Box<dyn Any + Send + 'static>, Self> {
        Ok(match self.0.reason.take() {
            Some(Reason::Literal(literal)) => Box::new(literal),
            Some(Reason::Text(text)) => Box::new(text),
            Some(Reason::Other(payload)) => {
                payload.into_inner().unwrap_or_else(PoisonError::into_inner)
            }
            Some(Reason::Cancelled) | None => return Err(Self::cancelled(self.0.id)),
        })
    }

    /// Goes on with the task's panic on this thread.
    ///
    /// # Panics
    ///
    /// Always: with the task's payload, or with a text that says that it was cancelled.
    #[track_caller]
    pub fn resume_panic(self) -> ! {
        resume_unwind(self.into_panic())
    }

    /// The text of the task's panic, if it had one.
    #[must_use]
    pub fn panic_message(&self) -> Option<&str> {
        match self.0.reason.as_ref()? {
            Reason::Literal(literal) => Some(literal),
            Reason::Text(text) => Some(text),
            Reason::Other(_) | Reason::Cancelled => None,
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.panic_message() {
            _ if self.is_cancelled() => f.write_str("the task was cancelled"),
            Some(message) => {
                f.write_str("the task panicked: ")?;
                message.chars().try_for_each(|letter| put(f, letter))
            }
            None => f.write_str("the task panicked"),
        }
    }
}

/// A panic's text may have in it what came from a peer: an error is one line, and moves no cursor.
fn put(f: &mut fmt::Formatter<'_>, letter: char) -> fmt::Result {
    match letter {
        '"' | '\'' | '\\' => f.write_char(letter),
        _ => write!(f, "{}", letter.escape_debug()),
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
