//! What changes from one step to the next.

use similar::TextDiff;

/// A program as a reader of the book sees it: without the header, which the page tells in its own
/// words, and without the anchors that only the book needs.
#[must_use]
pub fn program(source: &str) -> String {
    let anchor = |line: &&str| {
        let comment = line.trim_start();
        !comment.starts_with("// ANCHOR") && !line.starts_with("//!")
    };
    let lines = source.lines().filter(anchor);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    text.trim_start().to_owned()
}

/// A unified diff, with three lines of context; empty if nothing differs.
#[must_use]
pub fn diff(before: (&str, &str), after: (&str, &str)) -> String {
    TextDiff::from_lines(before.1, after.1)
        .unified_diff()
        .context_radius(3)
        .header(before.0, after.0)
        .to_string()
}

/// How many lines a diff adds and takes away.
///
/// ```
/// let diff = book::change::diff(("a", "one\ntwo\n"), ("b", "one\n2\nthree\n"));
/// assert_eq!(book::change::size(&diff), (2, 1));
/// ```
#[must_use]
pub fn size(diff: &str) -> (usize, usize) {
    // The two lines of the header are no change.
    let lines = || diff.lines().skip(2);
    let added = lines().filter(|line| line.starts_with('+')).count();
    let removed = lines().filter(|line| line.starts_with('-')).count();
    (added, removed)
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn header_and_anchors_are_left_out() {
        let source = "//! Step 1.\n//!\n\n// ANCHOR: a\nfn a() {}\n    // ANCHOR_END: a\n// why\n";
        assert_eq!(program(source), "fn a() {}\n// why\n");
    }
}
