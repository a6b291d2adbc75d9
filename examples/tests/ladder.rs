//! The ladder is climbed one screen at a time: no step has more new lines than fit on one. And
//! what the book quotes by name is there to be quoted.

use std::fs;
use std::path::Path;

use similar::{ChangeTag, TextDiff};

/// A screen, in lines of code. Imports, comments and empty lines are not counted, and a line that
/// only moved to the right is not new: the diff is that of `diff -w`.
const SCREEN: usize = 60;

/// The steps, in order: the name of each and its text.
fn steps() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("steps");
    let files = fs::read_dir(folder).expect("the steps are here");
    let mut steps: Vec<_> = files
        .filter_map(|file| {
            let path = file.expect("readable").path();
            let name = path.file_name()?.to_str()?.strip_suffix(".rs")?.to_owned();
            Some((name, fs::read_to_string(&path).expect("text")))
        })
        .collect();
    steps.sort();
    steps
}

/// The lines that a reader has to understand.
fn code(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("use "))
        .collect()
}

/// How many lines of `after` are not in `before`.
fn new_lines(before: &str, after: &str) -> usize {
    let (before, after) = (code(before), code(after));
    TextDiff::from_slices(&before, &after)
        .iter_all_changes()
        .filter(|change| change.tag() == ChangeTag::Insert)
        .count()
}

#[test]
fn no_step_adds_more_than_a_screen() {
    let steps = steps();
    assert_eq!(steps.len(), 12);
    let mut before = String::new();
    for (name, text) in steps {
        let new = new_lines(&before, &text);
        println!("{name}: {} lines of code, {new} new", code(&text).len());
        assert!(new <= SCREEN, "{name} adds {new} lines to the step before");
        before = text;
    }
}

#[test]
fn what_only_moved_is_not_new_and_what_changed_is() {
    let before = "use std::io;\nfn a() {\n    one();\n}\n";
    let after = "// Why.\nfn a() {\n    loop {\n        one();\n        two();\n    }\n}\n";
    assert_eq!(new_lines(before, after), 3);
}

#[test]
fn anchors_open_and_close_in_pairs_and_each_step_has_some() {
    for (name, text) in steps() {
        let mut open = Vec::new();
        let mut seen = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(anchor) = line.strip_prefix("// ANCHOR: ") {
                assert!(!seen.contains(&anchor), "{name}: {anchor} is there twice");
                seen.push(anchor);
                open.push(anchor);
            } else if let Some(anchor) = line.strip_prefix("// ANCHOR_END: ") {
                assert_eq!(open.pop(), Some(anchor), "{name}");
            }
        }
        assert!(open.is_empty(), "{name}: {open:?} never ends");
        assert!(!seen.is_empty(), "{name} has nothing to quote");
    }
}
