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

/// Counts in traces that are known.
///
/// # Errors
///
/// Which trace was counted wrongly, and what is in it.
pub fn judge(wasted_per_byte: fn(&Trace) -> Option<f64>) -> Judged {
    let cases: [(&str, &[&str], Option<f64>); 6] = [
        (
            "three WouldBlock, then four bytes in and the same four out",
            &[NOTHING, NOTHING, NOTHING, FOUR, ANSWER],
            Some(0.75),
        ),
        (
            "four bytes, and nothing in vain",
            &[FOUR, ANSWER],
            Some(0.0),
        ),
        (
            "an accept that returned fd 7, four bytes, and an accept in vain",
            &[ACCEPTED, FOUR, NOBODY],
            Some(0.25),
        ),
        (
            "four bytes, a WouldBlock, and the end of the stream, which is news",
            &[FOUR, NOTHING, END],
            Some(0.25),
        ),
        (
            "four bytes, a sleep, and a reset, which is an error and no WouldBlock",
            &[FOUR, ASLEEP, RESET],
            Some(0.0),
        ),
        (
            "three WouldBlock and not one byte",
            &[NOTHING, NOTHING, NOBODY],
            None,
        ),
    ];
    for (words, lines, right) in cases {
        let text: String = [HEADER]
            .iter()
            .chain(lines)
            .map(|line| format!("{line}\n"))
            .collect();
        let trace = Trace::parse(&text).map_err(|bad| Wrong::new(bad.to_string()))?;
        let found = wasted_per_byte(&trace);
        demand(found == right, || {
            format!("a trace with {words}: you count {found:?}, and it is {right:?}")
        })?;
    }
    Ok(())
}
