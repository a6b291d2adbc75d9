//! The figures, and the table that they make.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::counts::{Figure, Row, rows};
use benches::subjects::Subject;

#[derive(Default)]
pub(crate) struct Sheet(pub(crate) BTreeMap<(&'static str, &'static str), Figure>);

impl Sheet {
    pub(crate) fn value(&self, row: &'static str, subject: &'static str) -> Option<f64> {
        self.0.get(&(row, subject)).map(|figure| figure.0)
    }

    /// The table, which is Markdown as well, and below it what stands behind the figures.
    pub(crate) fn table(&self, subjects: &[Subject]) -> String {
        let names = subjects.iter().map(|subject| subject.name);
        let head = ["row", "what"].into_iter().chain(names).chain(["target", "ours"]);
        let head: Vec<String> = head.map(str::to_owned).collect();
        let rule = ["---", "---"].into_iter().chain(std::iter::repeat("---:"));
        let rule = rule.take(head.len()).map(str::to_owned).collect();
        let mut text = String::new();
        for line in
            [head, rule].into_iter().chain(rows().filter_map(|row| self.line(row.1, subjects)))
        {
            let _ = write!(text, "| {:26} | {:40} |", line[0], line[1]);
            text.extend(line[2..].iter().map(|cell| format!(" {cell:>12} |")));
            text += "\n";
        }
        for ((row, subject), (value, note)) in self.0.iter().filter(|one| !one.1.1.is_empty()) {
            let _ = write!(text, "\n{row} of {subject}: {value:.2} ({note})");
        }
        text + "\n"
    }

    fn line(&self, row: &Row, subjects: &[Subject]) -> Option<Vec<String>> {
        let own: Vec<_> = subjects.iter().map(|subject| self.value(row.id, subject.name)).collect();
        own.iter().any(Option::is_some).then(|| {
            let figure = |value: &Option<f64>| {
                value.map_or("-".to_owned(), |value| format!("{value:.*}", row.digits))
            };
            let mut cells = vec![row.id.to_owned(), row.what.to_owned()];
            cells.extend(own.iter().map(figure));
            let target = row.most.is_finite();
            cells.push(if target { format!("<= {}", row.most) } else { String::new() });
            // A count is an average over thousands: what rounds to the target has reached it.
            let half = 0.5 / 10_f64.powi(row.digits as i32);
            cells.push(match self.value(row.id, "ours") {
                Some(ours) if target && ours <= row.most + half => "reached".to_owned(),
                Some(_) if target => "MISSED".to_owned(),
                _ => String::new(),
            });
            cells
        })
    }
}
