//! The judge of exercise 2: small traces whose waste can be counted by hand.

use trace::Trace;

use crate::verdict::demand;
use crate::{Judged, Wrong};

const HEADER: &str = r#"{"trace":"reactor","version":1,"backend":"nothing","trigger":"level"}"#;
const ACCEPTED: &str = r#"{"t":1,"e":"syscall","fd":0,"call":"accept","result":"ok","n":7}"#;
const NOBODY: &str = r#"{"t":1,"e":"syscall","fd":0,"call":"accept","result":"would_block"}"#;
const NOTHING: &str = r#"{"t":1,"e":"syscall","fd":1,"call":"recv","result":"would_block"}"#;
const FOUR: &str = r#"{"t":1,"e":"syscall","fd":1,"call":"recv","result":"ok","n":4}"#;
const ANSWER: &str = r#"{"t":1,"e":"syscall","fd":1,"call":"send","result":"ok","n":4}"#;
const RESET: &str = r#"{"t":1,"e":"syscall","fd":1,"call":"recv","result":"error","errno":104}"#;
const END: &str = r#"{"t":1,"e":"syscall","fd":1,"call":"recv","result":"ok","n":0}"#;
const ASLEEP: &str = r#"{"t":1,"e":"select_begin","timeout":null,"keys":1}"#;

/// A trace, in words and in lines; what is right, and what is behind an answer that is not.
struct Case {
    words: &'static str,
    lines: &'static [&'static str],
    right: Option<f64>,
    why: &'static str,
}

const CASES: [Case; 6] = [
    Case {
        words: "three WouldBlock, then four bytes in and the same four out",
        lines: &[NOTHING, NOTHING, NOTHING, FOUR, ANSWER],
        right: Some(0.75),
        why: "In vain are the calls whose result is \"would_block\": three. The bytes are those of \
              the recv: a send has the same ones, on their way out",
    },
    Case {
        words: "four bytes, and nothing in vain",
        lines: &[FOUR, ANSWER],
        right: Some(0.0),
        why: "Nothing in vain is an answer, too: no call for each byte",
    },
    Case {
        words: "an accept that returned fd 7, four bytes, and an accept in vain",
        lines: &[ACCEPTED, FOUR, NOBODY],
        right: Some(0.25),
        why: "The n of an accept is the number of an fd, and no bytes; and its WouldBlock is a \
              call in vain like any other",
    },
    Case {
        words: "four bytes, a WouldBlock, and the end of the stream",
        lines: &[FOUR, NOTHING, END],
        right: Some(0.25),
        why: "A recv of 0 bytes is the end, and that is news: it was not in vain",
    },
    Case {
        words: "four bytes, a sleep, and a reset",
        lines: &[FOUR, ASLEEP, RESET],
        right: Some(0.0),
        why: "A reset is an error and no WouldBlock: it, too, is news. It has no n",
    },
    Case {
        words: "three WouldBlock and not one byte",
        lines: &[NOTHING, NOTHING, NOBODY],
        right: None,
        why: "Where no byte came, there is nothing to divide by",
    },
];

/// Counts in traces that are known.
///
/// # Errors
///
/// Which trace was counted wrongly, what is in it, and what that may come from.
pub fn judge(wasted_per_byte: impl Fn(&Trace) -> Option<f64>) -> Judged {
    for case in &CASES {
        let text: String = [HEADER]
            .iter()
            .chain(case.lines)
            .map(|line| format!("{line}\n"))
            .collect();
        let trace = Trace::parse(&text).map_err(|bad| Wrong::new(bad.to_string()))?;
        let (found, right) = (wasted_per_byte(&trace), case.right);
        demand(found == right, || {
            let Case { words, why, .. } = case;
            format!("a trace with {words}: you count {found:?}, and it is {right:?}. {why}")
        })?;
    }
    Ok(())
}
