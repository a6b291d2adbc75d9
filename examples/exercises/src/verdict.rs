//! What a judge says.

use std::fmt;

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

/// An error of the machinery around an exercise, in the words of a judge.
pub(crate) fn failed(what: &str) -> impl Fn(std::io::Error) -> Wrong + '_ {
    move |error| Wrong(format!("{what} failed: {error}"))
}
