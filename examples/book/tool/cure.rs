//! The fix of a museum piece, as a diff.
//!
//! A piece is one program that has its bug unless its argument is `fixed`. For the diff it is made
//! into two: what it comes to when `fixed` is false, and what when it is true. The pieces are
//! formatted, so an `if` and its closing brace stand at the same column; that is all this relies on.

use crate::change::{diff, program};

/// The fix, as a diff between the program with the bug and the one without.
#[must_use]
pub fn cure(name: &str, source: &str) -> String {
    let source = program(source);
    let broken = with(&source, false);
    let fixed = with(&source, true);
    diff(
        (&format!("{name}: as it was"), &broken),
        (&format!("{name}: fixed"), &fixed),
    )
}

/// The program, if `fixed` has this value.
#[must_use]
pub fn with(source: &str, fixed: bool) -> String {
    let lines: Vec<&str> = source.lines().filter(|line| !names_it(line)).collect();
    block(&lines, fixed)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Lines that are only about the argument: its binding, a field of its name, a parameter.
fn names_it(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("let fixed = ") || matches!(line, "fixed," | "fixed: bool,")
}

fn block(lines: &[&str], fixed: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some((indent, condition, before)) = condition_of(line) else {
            out.push((*line).to_owned());
            at += 1;
            continue;
        };
        let same = |line: &str, text: &str| {
            line.len() > indent
                && line.chars().take(indent).all(|c| c == ' ')
                && line[indent..].starts_with(text)
        };
        let find = |from: usize, text: &str| (from..lines.len()).find(|at| same(lines[*at], text));
        let Some(end) = find(at + 1, "}") else {
            out.push((*line).to_owned());
            at += 1;
            continue;
        };
        let then = &lines[at + 1..end];
        let (otherwise, after) = if lines[end].trim_start().starts_with("} else {") {
            let last = find(end + 1, "}").unwrap_or(lines.len() - 1);
            (&lines[end + 1..last], last)
        } else {
            (&lines[0..0], end)
        };
        match evaluate(&condition, fixed) {
            Known::True => out.extend(outdent(block(then, fixed))),
            Known::False => out.extend(outdent(block(otherwise, fixed))),
            Known::Not(rest) => {
                out.push(format!("{}{before}{rest} {{", " ".repeat(indent)));
                out.extend(block(then, fixed));
                out.extend(
                    lines[end..end + usize::from(after > end)]
                        .iter()
                        .map(|line| (*line).to_owned()),
                );
                out.extend(block(otherwise, fixed));
                out.push(lines[after].to_owned());
            }
        }
        at = after + 1;
    }
    out
}

/// Indent and condition of an `if` that asks for `fixed`.
fn condition_of(line: &str) -> Option<(usize, String, &'static str)> {
    let indent = line.len() - line.trim_start().len();
    let condition = line.trim_start().strip_prefix("if ")?.strip_suffix(" {")?;
    let asks = |term: &str| matches!(term, "fixed" | "!fixed" | "self.fixed" | "!self.fixed");
    let terms = condition
        .split(" && ")
        .flat_map(|terms| terms.split(" || "));
    terms
        .into_iter()
        .any(asks)
        .then(|| (indent, condition.to_owned(), "if "))
}

/// What is known of a condition once `fixed` is.
enum Known {
    True,
    False,
    Not(String),
}

fn evaluate(condition: &str, fixed: bool) -> Known {
    let (joint, decides) = if condition.contains(" || ") {
        (" || ", true)
    } else {
        (" && ", false)
    };
    let mut rest = Vec::new();
    for term in condition.split(joint) {
        let value = match term {
            "fixed" | "self.fixed" => fixed,
            "!fixed" | "!self.fixed" => !fixed,
            _ => {
                rest.push(term);
                continue;
            }
        };
        if value == decides {
            return if value { Known::True } else { Known::False };
        }
    }
    match rest.is_empty() {
        true if decides => Known::False,
        true => Known::True,
        false => Known::Not(rest.join(joint)),
    }
}

/// One level less.
fn outdent(lines: Vec<String>) -> Vec<String> {
    let out = |line: String| line.strip_prefix("    ").map(str::to_owned).unwrap_or(line);
    lines.into_iter().map(out).collect()
}

#[cfg(test)]
mod tests {
    use super::with;

    #[track_caller]
    fn both(source: &str, broken: &str, fixed: &str) {
        assert_eq!(with(source, false), broken);
        assert_eq!(with(source, true), fixed);
    }

    #[test]
    fn a_block_is_there_or_not() {
        both("a\nif fixed {\n    b\n}\nc\n", "a\nc\n", "a\nb\nc\n");
        both("    if !fixed {\n        b\n    }\n", "    b\n", "");
    }

    #[test]
    fn one_of_two_blocks_is_there() {
        both("if fixed {\n    b\n} else {\n    c\n}\n", "c\n", "b\n");
        both(
            "if !fixed {\n    if x {\n    }\n} else {\n    c\n}\n",
            "if x {\n}\n",
            "c\n",
        );
    }

    #[test]
    fn a_condition_keeps_what_is_not_known() {
        both("if a && fixed {\n    b\n}\n", "", "if a {\n    b\n}\n");
        both(
            "if self.fixed || a {\n    b\n}\n",
            "if a {\n    b\n}\n",
            "b\n",
        );
    }

    #[test]
    fn what_is_about_the_argument_is_left_out() {
        both(
            "let fixed = args();\nDoor {\n    fixed,\n}\n",
            "Door {\n}\n",
            "Door {\n}\n",
        );
    }
}
