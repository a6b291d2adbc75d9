//! The format: a header line, and then one event a line.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The version that this crate reads.
const VERSION: u32 = 1;

/// A trace that was read.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// The others.
    pub lines: Vec<Line>,
}

/// The first line: where the trace comes from, and what recording cost.
#[derive(Clone, Debug, Deserialize)]
pub struct Header {
    /// Who wrote it; always `reactor`.
    pub trace: String,
    /// Of the format.
    pub version: u32,
    /// The selector that waited.
    pub backend: String,
    /// `edge` or `level`.
    pub trigger: String,
    /// What each event cost.
    #[serde(default)]
    pub overhead: Overhead,
}

/// What each event cost the program, in nanoseconds, measured when the recording began.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Overhead {
    /// To record it.
    pub record_ns: u64,
    /// To write it.
    pub write_ns: u64,
}

/// One event.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    /// Nanoseconds since the recording began; 0 in a golden trace, which has no times.
    #[serde(default)]
    pub t: u64,
    /// The line of the library that did it.
    #[serde(default)]
    pub at: String,
    /// The real number of an fd, on the line on which it first appears.
    #[serde(default)]
    pub raw: Option<u64>,
    /// What it did.
    #[serde(flatten)]
    pub step: Step,
}

/// What happened; the names are those of `reactor::observe::Event`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "e", rename_all = "snake_case")]
#[allow(
    missing_docs,
    reason = "the fields are those of the events of the reactor"
)]
pub enum Step {
    Spawn {
        task: u32,
        #[serde(default)]
        from: String,
    },
    Enqueue {
        task: u32,
        queued: u32,
    },
    PollBegin {
        task: u32,
    },
    PollEnd {
        task: u32,
        ready: bool,
    },
    Done {
        task: u32,
    },
    DropPending {
        task: u32,
    },
    Lost {
        task: u32,
    },
    Syscall {
        fd: u32,
        call: String,
        result: String,
        n: Option<u64>,
        errno: Option<i32>,
    },
    WakerStored {
        fd: u32,
        dir: String,
        crowded: bool,
    },
    Register {
        fd: u32,
        events: String,
    },
    Modify {
        fd: u32,
        events: String,
    },
    Unregister {
        fd: u32,
    },
    SelectBegin {
        #[serde(deserialize_with = "timeout")]
        timeout: Option<u64>,
        keys: u32,
    },
    SelectEnd {
        ready: Vec<(u32, String)>,
    },
    Wake {
        task: u32,
        by: String,
        coalesced: bool,
    },
    Notify,
    TimerSet {
        timer: u32,
        #[serde(default)]
        deadline: u64,
    },
    TimerFired {
        timer: u32,
    },
    Recorder {
        took: u64,
        /// The trace has reached this many bytes, and ends.
        limit: Option<u64>,
        /// For so long the thread could have run in this poll, and did not.
        held_up: Option<u64>,
    },
}

/// A golden trace only says that there is a timeout, and not how long it is; it is counted as short.
fn timeout<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Timeout {
        Nanoseconds(u64),
        Timeless(String),
    }
    let timeout = Option::<Timeout>::deserialize(from)?;
    match timeout {
        None => Ok(None),
        Some(Timeout::Nanoseconds(nanoseconds)) => Ok(Some(nanoseconds)),
        Some(Timeout::Timeless(word)) if word == "some" => Ok(Some(1)),
        Some(Timeout::Timeless(word)) => Err(D::Error::custom(format!("{word:?} is no timeout"))),
    }
}

/// A text that is no trace.
#[derive(Debug)]
pub struct Bad(String);

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Bad {}

impl Trace {
    /// Reads a trace. A last line without an end is passed over: its program was killed while it
    /// wrote.
    ///
    /// # Errors
    ///
    /// The number of the line that is not understood, and why.
    pub fn parse(text: &str) -> Result<Trace, Bad> {
        let mut numbered = (1..).zip(text.split_inclusive('\n'));
        let bad = |number: usize, error: serde_json::Error| Bad(format!("line {number}: {error}"));
        let Some((_, first)) = numbered.next() else {
            return Err(Bad("an empty file is no trace".into()));
        };
        let header: Header = serde_json::from_str(first).map_err(|error| bad(1, error))?;
        if header.trace != "reactor" || header.version != VERSION {
            return Err(Bad(format!(
                "a trace of {:?} in version {}; this reads traces of \"reactor\" in version {VERSION}",
                header.trace, header.version
            )));
        }
        let mut lines = Vec::new();
        for (number, text) in numbered {
            if text.ends_with('\n') {
                lines.push(serde_json::from_str(text).map_err(|error| bad(number, error))?);
            }
        }
        Ok(Trace { header, lines })
    }
}
