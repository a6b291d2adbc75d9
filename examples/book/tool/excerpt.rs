//! What pages show of the programs of the ladder: the lines between two anchors, moved to the left
//! margin, so that a method is not shown in the column where it stands in its file.

use std::fs;
use std::io;

use crate::table::{self, STEPS, number};

/// The folder of the excerpts, made anew for each build of the book.
pub const FOLDER: &str = "excerpts";

/// Every excerpt of a program: the name of its anchor, and its lines.
///
/// ```
/// let source = "fn main() {\n    // ANCHOR: ask\n    if true {\n        ask();\n    }\n    // ANCHOR_END: ask\n}\n";
/// let excerpts = book::excerpt::excerpts(source);
/// assert_eq!(excerpts, [("ask".into(), "if true {\n    ask();\n}\n".into())]);
/// ```
#[must_use]
pub fn excerpts(source: &str) -> Vec<(String, String)> {
    let anchors = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("// ANCHOR: "));
    anchors
        .map(|anchor| (anchor.to_owned(), outdent(&between(source, anchor))))
        .collect()
}

/// The lines between an anchor and its end, without anchors that lie inside.
fn between<'a>(source: &'a str, anchor: &str) -> Vec<&'a str> {
    let is = |line: &str, what: &str| line.trim() == format!("// {what}: {anchor}");
    source
        .lines()
        .skip_while(|line| !is(line, "ANCHOR"))
        .take_while(|line| !is(line, "ANCHOR_END"))
        .filter(|line| !line.trim().starts_with("// ANCHOR"))
        .collect()
}

/// Takes from every line what all of them have before their first letter.
fn outdent(lines: &[&str]) -> String {
    let margin = |line: &&str| line.len() - line.trim_start().len();
    let written = lines.iter().filter(|line| !line.trim().is_empty());
    let common = written.map(margin).min().unwrap_or(0);
    let own = |line: &&str| format!("{}\n", line.get(common..).unwrap_or_default());
    lines.iter().map(own).collect()
}

/// Writes the excerpts of all steps: `s04-ask.rs` is what step 4 has between its anchors `ask`.
///
/// # Errors
///
/// What cannot be read or written.
pub fn write() -> io::Result<()> {
    let folder = table::pages().join(FOLDER);
    fs::create_dir_all(&folder)?;
    for step in STEPS {
        for (anchor, text) in excerpts(&fs::read_to_string(table::step(step))?) {
            fs::write(folder.join(format!("{}-{anchor}.rs", number(step))), text)?;
        }
    }
    Ok(())
}
