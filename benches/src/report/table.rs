//! The rows of a run, for the terminal and for the page: for each point the subjects in order of
//! their ratio, with figures, interval, verdict, what the generator could have done, and flags.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::shown::Column;
use super::{Shown, groups, words};
use crate::method::{Comparison, Document, FEWEST_BLOCKS, Reason, Slice, compared};

pub struct Row<'a> {
    pub subject: &'a str,
    /// The figures of the columns; `n/a` where there is none.
    pub cells: Vec<String>,
    /// The share of what the generator can do, in percent.
    pub generator: Option<f64>,
    /// Beside the baseline, if both have a cost.
    pub comparison: Option<&'a Comparison>,
    pub baseline: bool,
    pub valid: bool,
    /// Its flags, each with how many slices have it.
    pub flags: String,
}

/// A point with its rows, the cheapest first.
pub struct Point<'a> {
    pub name: String,
    pub workload: &'a str,
    pub columns: &'static [Column],
    pub rows: Vec<Row<'a>>,
}

pub fn points<'a>(document: &'a Document, all: &[Shown]) -> Vec<Point<'a>> {
    let point = |(name, slices): (String, Vec<&'a Slice>)| {
        let workload = slices[0].spec.workload.as_str();
        let shown = all.iter().find(|shown| shown.name == workload);
        let columns = shown.map_or(&[][..], |shown| shown.columns);
        let row = |subject: &'a str| row(document, &name, &slices, subject, columns);
        let mut rows: Vec<Row<'a>> = compared::subjects(&slices).into_iter().map(row).collect();
        let ratio = |row: &Row<'_>| row.comparison.map_or(1.0, |one| one.ratio);
        rows.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        Point { workload, columns, rows, name }
    };
    compared::points(&document.slices).into_iter().map(point).collect()
}

fn row<'a>(
    document: &'a Document,
    point: &str,
    slices: &[&'a Slice],
    subject: &'a str,
    columns: &[Column],
) -> Row<'a> {
    let own = groups::those(slices, |one| one.spec.subject == subject);
    let figure = |(_, metric, scale): &Column| {
        let value = groups::median(&own, metric);
        value.map_or_else(|| "n/a".to_owned(), |(value, _)| words::figure(value * scale))
    };
    let mut all = document.comparisons.iter();
    Row {
        subject,
        cells: columns.iter().map(figure).collect(),
        generator: groups::median(&own, "generator_percent").map(|(percent, _)| percent),
        comparison: all.find(|one| one.point == point && one.subject == subject),
        baseline: compared::baseline(slices) == Some(subject),
        valid: own.iter().any(|slice| slice.valid()),
        flags: flags(&own),
    }
}

/// The codes of slices, each with how many have it; those that make a slice invalid with a mark.
fn flags(slices: &[&Slice]) -> String {
    let mut counts = BTreeMap::<(Reason, bool), usize>::new();
    for slice in slices {
        let mut reasons: Vec<_> =
            slice.flags.iter().map(|flag| (flag.reason, flag.invalidates())).collect();
        reasons.dedup();
        for reason in reasons {
            *counts.entry(reason).or_default() += 1;
        }
    }
    let total = slices.len();
    let words = counts.into_iter().map(|((reason, invalidates), count)| {
        let mark = if invalidates { "!" } else { "" };
        format!("{mark}{} {count}/{total}", reason.code())
    });
    words.collect::<Vec<_>>().join(", ")
}

impl Point<'_> {
    /// Whether there is a generator beside which the rows are.
    pub fn generated(&self) -> bool {
        self.rows.iter().any(|row| row.generator.is_some())
    }
}

/// What the columns of a table are, in order; the one of the generator if there is any.
pub fn head(columns: &[Column], generated: bool) -> Vec<String> {
    let titles = columns.iter().map(|column| column.0).chain(generated.then_some("of gen."));
    let all = ["subject"].into_iter().chain(titles).chain(["ratio", "95 %", "verdict", "flags"]);
    all.map(str::to_owned).collect()
}

impl Row<'_> {
    /// What stands in these columns. Rows beyond most of what the generator can do are marked.
    pub fn line(&self, generated: bool) -> Vec<String> {
        let most = 100.0 * crate::method::checks::MOST_OF_THE_GENERATOR;
        let generator = self.generator.map_or_else(String::new, |percent| {
            format!("{percent:.0} %{}", if percent > most { " (!)" } else { "" })
        });
        let [ratio, interval, verdict] = match self.comparison {
            None if self.baseline => ["-", "", "the baseline"].map(str::to_owned),
            None => ["-", "", "not compared"].map(str::to_owned),
            Some(one) => {
                let words = one.verdict.words(one.threshold);
                [format!("{:.3}", one.ratio), one.interval("-"), words]
            }
        };
        let figures = self.cells.iter().cloned().chain(generated.then_some(generator));
        let all = [self.subject.to_owned()].into_iter().chain(figures);
        all.chain([ratio, interval, verdict, self.flags.clone()]).collect()
    }
}

pub fn draw(document: &Document, all: &[Shown]) -> String {
    let mut text = String::new();
    for point in points(document, all) {
        let generated = point.generated();
        let _ = writeln!(text, "\n{}", point.name);
        let rows = point.rows.iter().map(|row| row.line(generated));
        for line in std::iter::once(head(point.columns, generated)).chain(rows) {
            if let [subject, figures @ .., interval, verdict, flags] = &line[..] {
                let _ = write!(text, "  {subject:22}");
                text.extend(figures.iter().map(|figure| format!("{figure:>12}")));
                let _ = writeln!(text, "  {interval:15} {verdict:18} {flags}");
            }
        }
    }
    let _ = write!(text, "\n{}{}\n{}", reasons(document), validity(document), floor(document));
    text
}

/// Why rows are invalid, in words: of each kind the first, noise left out.
fn reasons(document: &Document) -> String {
    let flags = document.slices.iter().flat_map(|slice| &slice.flags);
    let mut first = BTreeMap::<Reason, &str>::new();
    for flag in flags.filter(|flag| flag.invalidates() && !flag.reason.is_noise()) {
        first.entry(flag.reason).or_insert(&flag.detail);
    }
    first.iter().map(|(reason, detail)| format!("!{}: {detail}\n", reason.code())).collect()
}

/// How many slices are valid, and what can be said of the others.
pub fn validity(document: &Document) -> String {
    let slices = &document.slices;
    let count = |what: fn(&Slice) -> bool| slices.iter().filter(|slice| what(slice)).count();
    let (valid, counted) = (count(Slice::valid), count(Slice::counts));
    let decided = document.comparisons.iter().filter(|one| one.decides()).count();
    let mut words = format!("{valid} of {} slices are valid", slices.len());
    if counted > valid {
        let _ = write!(words, ", and of {} more the counts", counted - valid);
    }
    let _ = write!(words, "; {decided} of {} comparisons decide", document.comparisons.len());
    if document.interrupted {
        words += "; interrupted by Ctrl-C: what was to come is missing";
    }
    if document.out_of_time {
        words += "; the time was over before all was measured: blocks are missing";
    }
    words
}

pub fn floor(document: &Document) -> String {
    match document.noise_floor {
        Some(floor) => format!("Noise floor (A/A): \u{b1}{:.1} %", 100.0 * floor),
        None => format!(
            "Noise floor (A/A): n/a, for it takes {FEWEST_BLOCKS} blocks in which both twins are valid"
        ),
    }
}
