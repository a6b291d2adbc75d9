//! The format: a header line, and then one event a line.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

/// The version that this crate reads.
pub(crate) const VERSION: u32 = 1;

/// A trace that was read.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The first line.
    pub header: Header,
    /// The others.
    pub lines: Vec<Line>,
}

/// The first line: where the trace comes from, and what recording cost.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Header {
    /// Who wrote it; always `reactor`.
    pub trace: String,
    /// Of the format.
    pub version: u32,
    /// The selector that waited.
    pub backend: String,
    /// `edge` or `level`.
    pub trigger: String,
    /// What each event cost; nothing in a golden trace.
    #[serde(default, skip_serializing_if = "Overhead::is_unknown")]
    pub overhead: Overhead,
}

/// What each event cost the program, in nanoseconds, measured when the recording began.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Overhead {
    /// To record it.
    pub record_ns: u64,
    /// To write it.
    pub write_ns: u64,
}

/// One event.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Line {
    /// Nanoseconds since the recording began; 0 in a golden trace, which has no times.
    #[serde(default)]
    pub t: u64,
    /// The line of the libraries that did it.
    #[serde(default)]
    pub at: String,
    /// The real number of an fd, on the line on which it first appears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<u64>,
    /// What that fd is, if strace tells.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// What it did.
    #[serde(flatten)]
    pub step: Step,
}

/// What happened; the names are those of `reactor::observe::Event`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
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
    Named {
        task: u32,
        name: String,
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
        #[serde(skip_serializing_if = "Option::is_none")]
        n: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        from: String,
        /// How long it took, if strace tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        took: Option<u64>,
    },
    WakerStored {
        fd: u32,
        dir: String,
        crowded: bool,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        from: String,
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
        /// For how many events there is room, if strace tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<u32>,
    },
    SelectEnd {
        ready: Vec<(u32, String)>,
    },
    Wake {
        task: u32,
        by: String,
        coalesced: bool,
    },
    #[default]
    Notify,
    TimerSet {
        timer: u32,
        #[serde(default)]
        deadline: u64,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        from: String,
    },
    TimerFired {
        timer: u32,
    },
    TimerAlone {
        timer: u32,
    },
    Recorder {
        took: u64,
        /// The trace has reached this many bytes, and ends.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
        /// For so long the thread could have run in this poll, and did not.
        #[serde(skip_serializing_if = "Option::is_none")]
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

impl Overhead {
    /// A golden trace does not say what it cost.
    fn is_unknown(&self) -> bool {
        (self.record_ns, self.write_ns) == (0, 0)
    }
}

impl Step {
    /// The line of the program that spawns or awaits it; empty where nobody knows.
    #[must_use]
    pub fn from(&self) -> &str {
        match self {
            Step::Spawn { from, .. }
            | Step::Syscall { from, .. }
            | Step::WakerStored { from, .. }
            | Step::TimerSet { from, .. } => from,
            _ => "",
        }
    }

    /// What is numbered in it, if anything is, and its number.
    fn number(&self) -> Option<(&'static str, u32)> {
        Some(match self {
            Step::Spawn { task, .. }
            | Step::Named { task, .. }
            | Step::Enqueue { task, .. }
            | Step::PollBegin { task }
            | Step::PollEnd { task, .. }
            | Step::Done { task }
            | Step::DropPending { task }
            | Step::Lost { task }
            | Step::Wake { task, .. } => ("task", *task),
            Step::Syscall { fd, .. }
            | Step::WakerStored { fd, .. }
            | Step::Register { fd, .. }
            | Step::Modify { fd, .. }
            | Step::Unregister { fd } => ("fd", *fd),
            Step::SelectEnd { ready } => ("fd", ready.iter().map(|(fd, _)| *fd).max()?),
            Step::TimerSet { timer, .. }
            | Step::TimerFired { timer }
            | Step::TimerAlone { timer } => ("timer", *timer),
            Step::SelectBegin { .. } | Step::Notify | Step::Recorder { .. } => return None,
        })
    }
}

/// A text that is no trace.
#[derive(Debug)]
pub struct Bad(String);

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&plain(&self.0))
    }
}

/// `text` as one line that moves no cursor: what a file or a peer has put into it is shown escaped.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\'' | '\\' => shown.push(letter),
            _ => shown.extend(letter.escape_debug()),
        }
    }
    shown
}

impl std::error::Error for Bad {}

impl Bad {
    pub(crate) fn new(text: &str) -> Bad {
        Bad(text.to_owned())
    }

    /// The same, said of this file.
    pub(crate) fn of(self, title: &str) -> Bad {
        Bad(format!("{title}: {self}"))
    }
}

/// The text of a trace, of the bytes of its file.
///
/// # Errors
///
/// The number of the first line that is not UTF-8.
///
/// ```
/// assert_eq!(trace::text(b"one\ntwo".to_vec()).expect("it is"), "one\ntwo");
/// let bad = trace::text(b"one\n\xff".to_vec()).unwrap_err();
/// assert_eq!(bad.to_string(), "line 2: not UTF-8, and so no trace");
/// ```
pub fn text(bytes: Vec<u8>) -> Result<String, Bad> {
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Bad(format!("line {line}: not UTF-8, and so no trace"))
    })
}

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
            if !text.ends_with('\n') {
                continue;
            }
            let line: Line = serde_json::from_str(text).map_err(|error| bad(number, error))?;
            // Numbers are given in the order of first appearance: on this line none is higher. Some
            // room is for what people write by hand.
            let highest = number + 1_000;
            if let Some((what, found)) = line.step.number().filter(|(_, n)| *n as usize > highest) {
                return Err(Bad(format!(
                    "line {number}: {what} {found}, where the highest can be {highest}: they are \
                     numbered in the order in which they appear"
                )));
            }
            lines.push(line);
        }
        Ok(Trace { header, lines })
    }

    /// The same as text: a header, and then one event a line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = json!(self.header).to_string();
        for line in &self.lines {
            out.push('\n');
            out.push_str(&json!(line).to_string());
        }
        out.push('\n');
        out
    }

    /// Does it have times? A golden trace has none.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.lines.iter().any(|line| line.t != 0)
    }

    /// The limit in bytes that ended the trace, though its program went on.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        match self.lines.last()?.step {
            Step::Recorder { limit, .. } => limit,
            _ => None,
        }
    }
}
