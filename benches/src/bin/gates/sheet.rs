//! The figures, and the table that they make.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::subjects::subject::Subject;

use crate::rows::{self, Family, Row, Target};

/// One measured number.
pub(crate) struct Figure {
    /// The number.
    pub(crate) value: f64,
    /// What stands behind it: calls by name, an interval.
    pub(crate) note: String,
}

impl From<f64> for Figure {
    fn from(value: f64) -> Self {
        Self {
            value,
            note: String::new(),
        }
    }
}

/// Figures by row and subject.
#[derive(Default)]
pub(crate) struct Sheet {
    figures: BTreeMap<&'static str, BTreeMap<&'static str, Figure>>,
}

/// Our own subject that the targets are for.
const OURS: &str = "ours";

impl Sheet {
    /// Writes a figure down.
    pub(crate) fn enter(&mut self, row: &'static str, subject: &'static str, figure: Figure) {
        self.figures.entry(row).or_default().insert(subject, figure);
    }

    /// Forgets the rows that were measured only because their family was.
    pub(crate) fn keep_only(&mut self, wanted: impl Fn(&Family, &Row) -> bool) {
        for (_, row) in rows::all().filter(|(family, row)| !wanted(family, row)) {
            self.figures.remove(row.id);
        }
    }

    /// The value of one figure.
    pub(crate) fn value(&self, row: &str, subject: &str) -> Option<f64> {
        Some(self.figures.get(row)?.get(subject)?.value)
    }

    /// The table, and below it what stands behind the figures.
    pub(crate) fn table(&self, subjects: &[Subject]) -> String {
        let mut lines = vec![head(subjects)];
        let measured = rows::all().map(|(_, row)| row);
        lines.extend(measured.filter_map(|row| self.line(row, subjects)));
        align(&lines) + &self.notes()
    }

    fn line(&self, row: &Row, subjects: &[Subject]) -> Option<Vec<String>> {
        let figures = self.figures.get(row.id)?;
        let mut cells = vec![
            row.id.to_owned(),
            format!("{} {}", row.what, bracketed(row.unit)),
        ];
        for subject in subjects {
            let cell = figures.get(subject.name).map_or("-".to_owned(), |figure| {
                format!("{:.*}", row.digits, figure.value)
            });
            cells.push(cell);
        }
        cells.push(match row.target {
            Target::AtMost(limit) => format!("<= {limit}"),
            Target::NotAbove(other) => format!("<= {other}"),
            Target::None => String::new(),
        });
        cells.push(self.verdict(row).to_owned());
        Some(cells)
    }

    fn verdict(&self, row: &Row) -> &'static str {
        let limit = match row.target {
            Target::AtMost(limit) => Some(limit),
            Target::NotAbove(other) => self.value(row.id, other),
            Target::None => None,
        };
        // A count is an average over thousands: what rounds to the target has reached it.
        let half = 0.5 / 10_f64.powi(row.digits as i32);
        match (self.value(row.id, OURS), limit) {
            (Some(ours), Some(limit)) if ours <= limit + half => "reached",
            (Some(_), Some(_)) => "MISSED",
            _ => "",
        }
    }

    fn notes(&self) -> String {
        let mut text = String::new();
        for (_, row) in rows::all() {
            for (subject, figure) in self.figures.get(row.id).into_iter().flatten() {
                if !figure.note.is_empty() {
                    let value = format!("{:.*}", row.digits, figure.value);
                    let _ = writeln!(text, "{} {subject}: {value} ({})", row.id, figure.note);
                }
            }
        }
        if text.is_empty() {
            text
        } else {
            format!("\n{text}")
        }
    }
}

fn head(subjects: &[Subject]) -> Vec<String> {
    let mut cells = vec!["row".to_owned(), "what".to_owned()];
    cells.extend(subjects.iter().map(|subject| subject.name.to_owned()));
    cells.extend(["target".to_owned(), "ours".to_owned()]);
    cells
}

fn bracketed(unit: &str) -> String {
    if unit.is_empty() {
        String::new()
    } else {
        format!("[{unit}]")
    }
}

/// A table that reads well as it is and is Markdown as well.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(String::len)
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let _ = if column < 2 {
                write!(text, "| {cell:<width$} ")
            } else {
                write!(text, "| {cell:>width$} ")
            };
        }
        text.push_str("|\n");
        if index == 0 {
            for (column, width) in widths.iter().enumerate() {
                let end = if column < 2 { '-' } else { ':' };
                let _ = write!(text, "|{}{end}", "-".repeat(width + 1));
            }
            text.push_str("|\n");
        }
    }
    text
}
