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
            if let Some(Value::Number(_)) = fields.get("timeout") {
                fields.insert("timeout".into(), "some".into());
            }
        }
        out.push_str(&value.to_string());
        out.push('\n');
    }
    out
}

/// Compares the timeless part of `text` with the file; with the variable `UPDATE` set, writes the
/// file instead.
///
/// # Panics
///
/// If they differ: the message names the first line that does.
#[track_caller]
pub fn assert_golden(text: &str, file: &Path) {
    let found = timeless(text);
    if env::var_os("UPDATE").is_some() {
        fs::write(file, &found).expect("the golden trace can be written");
        return;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    let lines = found.lines().zip(expected.lines()).zip(1..);
    for ((found, expected), number) in lines {
        assert_eq!(
            found,
            expected,
            "line {number} of {}; UPDATE=1 accepts the new trace",
            file.display()
        );
    }
    assert_eq!(
        found.lines().count(),
        expected.lines().count(),
        "the length of {}; UPDATE=1 accepts the new trace",
        file.display()
    );
}
