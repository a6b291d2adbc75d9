//! Golden traces: what stays the same from one run to the next.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

/// The trace without times, costs, real fd numbers and places in the sources: what two runs of
/// one program have in common.
///
/// # Panics
///
/// If a line is not JSON.
#[must_use]
pub fn timeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut value: Value = serde_json::from_str(line).expect("a trace is lines of JSON");
        if value["e"] == "recorder" {
            continue;
        }
        if let Value::Object(fields) = &mut value {
            for field in ["t", "at", "from", "raw", "overhead", "note", "deadline"] {
                fields.remove(field);
            }
            // The number of a new socket is the kernel's choice.
            if fields.get("call").is_some_and(|call| call == "accept") {
                fields.remove("n");
            }
            if let Some(Value::Number(_)) = fields.get("timeout") {
                fields.insert("timeout".into(), "some".into());
            }
        }
        out.push_str(&value.to_string());
        out.push('\n');
    }
    out
}

/// Compares `found`, which is timeless, with the file: nothing, or what differs first. With the
/// variable `UPDATE` set, writes the file instead.
///
/// # Panics
///
/// If the file has to be written and cannot be.
#[must_use]
pub fn difference(found: &str, file: &Path) -> Option<String> {
    if env::var_os("UPDATE").is_some() {
        fs::write(file, found).expect("the golden trace can be written");
        return None;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    if found == expected {
        return None;
    }
    let same = found.lines().zip(expected.lines());
    let same = same.take_while(|(found, expected)| found == expected);
    let number = same.count();
    let line = |text: &str| text.lines().nth(number).unwrap_or("the end").to_owned();
    Some(format!(
        "line {} of {file:?} is\n  {}\nand now it is\n  {}\nUPDATE=1 accepts the new trace",
        number + 1,
        line(&expected),
        line(found)
    ))
}

/// Asserts that the timeless part of `text` is the file; with the variable `UPDATE` set, writes
/// the file instead.
///
/// # Panics
///
/// If they differ: the message names the first line that does.
#[track_caller]
pub fn assert_golden(text: &str, file: &Path) {
    if let Some(difference) = difference(&timeless(text), file) {
        panic!("{difference}");
    }
}
