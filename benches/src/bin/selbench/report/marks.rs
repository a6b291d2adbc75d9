//! What tells the subjects apart: a colour each, and a mark, for those who print in black and
//! white or see colours differently.

use std::fmt::Write;

use super::escape;

/// Colours and marks that there are.
pub(super) const KINDS: usize = 10;

/// Outlines about the origin, one for each colour.
const OUTLINES: [&str; KINDS] = [
    // Disc, square, triangle, diamond.
    "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0Z",
    "M-3.2-3.2H3.2V3.2H-3.2Z",
    "M0-4.2L4 3.2H-4Z",
    "M0-4.6L4.6 0L0 4.6L-4.6 0Z",
    // Triangle downwards, plus, saltire.
    "M0 4.2L4-3.2H-4Z",
    "M-1.3-4.4H1.3V-1.3H4.4V1.3H1.3V4.4H-1.3V1.3H-4.4V-1.3H-1.3Z",
    "M-4-2.2L-2.2-4L0-1.8L2.2-4L4-2.2L1.8 0L4 2.2L2.2 4L0 1.8L-2.2 4L-4 2.2L-1.8 0Z",
    // Hourglass, bow tie, bar.
    "M-4-4H4L-4 4H4Z",
    "M-4-4V4L4-4V4Z",
    "M-1.6-4.6H1.6V4.6H-1.6Z",
];

/// A mark; a hollow one is of figures that are not to be believed.
pub(super) fn mark(svg: &mut String, colour: usize, valid: bool, x: f64, y: f64) {
    let class = if valid {
        format!("mark f{}", colour % KINDS)
    } else {
        format!("mark hollow c{}", colour % KINDS)
    };
    let outline = OUTLINES[colour % KINDS];
    let _ = writeln!(
        svg,
        "<path class=\"{class}\" transform=\"translate({x:.1} {y:.1})\" d=\"{outline}\"/>"
    );
}

/// What a legend shows beside a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// A line of this class.
    Line(&'static str),
    /// A part of a bar; every second one is pale.
    Bar { pale: bool },
}

/// An entry of a legend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) colour: usize,
    pub(super) key: Key,
    /// Whether any of it is to be believed.
    pub(super) valid: bool,
}

/// The legend as a list below the figure, that wraps where the page is narrow; empty without
/// entries.
pub(super) fn legend(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut html = "<ul class=\"legend\">\n".to_owned();
    for entry in entries {
        let colour = entry.colour % KINDS;
        let (invalid, words) = if entry.valid {
            ("", "")
        } else {
            (" invalid", " (invalid)")
        };
        let mut key = String::new();
        match entry.key {
            Key::Line(line) => {
                let _ = write!(
                    key,
                    "<path class=\"{line}{invalid} c{colour}\" d=\"M0 7h30\"/>"
                );
                if line != REFERENCE {
                    mark(&mut key, colour, entry.valid, 15.0, 7.0);
                }
            }
            Key::Bar { pale } => {
                let pale = if pale { " pale" } else { "" };
                let _ = write!(
                    key,
                    "<rect class=\"bar{pale} f{colour}\" x=\"8\" y=\"0\" width=\"14\" height=\"14\"/>"
                );
            }
        }
        let _ = writeln!(
            html,
            "<li><svg class=\"key\" viewBox=\"0 0 30 14\" aria-hidden=\"true\">{}</svg>{}{words}</li>",
            key.trim_end(),
            escape(&entry.name)
        );
    }
    html + "</ul>\n"
}

/// The class of lines that are no measurement, such as what was asked for: without marks.
pub(super) const REFERENCE: &str = "reference";
