//! The page: one HTML file that opens without network and without scripts. First the answer in
//! words and what is on the page, then the verdicts, then the figures, then the reasons for doubt and
//! the machine.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Shown, chart, groups, summary, table};
use crate::method::{Document, Reason, Slice};

const STYLE: &str = include_str!("report.css");
const VERDICTS: &str = "The cost of each subject over the cost of the baseline: the median over blocks of \
    paired slices, with its 95 % interval. \u{201c}of gen.\u{201d} is the share of what the load generator \
    can do where everything is answered at once; rows beyond 70 % are marked. Hollow rows have no valid \
    slice.";

/// The whole page; figures without data are left out.
pub fn draw(documents: &[Document], all: &[Shown]) -> String {
    let slices: Vec<&Slice> = documents.iter().flat_map(|document| &document.slices).collect();
    let shown: Vec<&Shown> =
        all.iter().filter(|one| !groups::of(&slices, one.name).is_empty()).collect();
    let figure = |one: &&Shown| Some((one.name, one.title, figure(one, &slices)?));
    let figures: Vec<_> = shown.iter().filter_map(figure).collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "selbench report" }
                style { (PreEscaped(STYLE)) }
            }
            body { main {
                h1 { "selbench" }
                section #summary {
                    h2 { "In words" }
                    ul { @for sentence in summary::sentences(documents, all) { li { (sentence) } } }
                    div #validity { @for document in documents { (origin(document)) } }
                }
                nav { ul {
                    li { a href="#verdicts" { "Verdicts" } ": " @for one in &shown {
                        a href={ "#of-" (one.name) } { (one.title) } " \u{b7} "
                    } }
                    li { a href="#figures" { "Figures" } ": " @for (name, title, _) in &figures {
                        a href={ "#" (name) } { (title) } " \u{b7} "
                    } }
                    li { a href="#flags" { "Reasons for doubt" } }
                    li { a href="#environment" { "The machine" } }
                } }
                section #verdicts {
                    h2 { "Verdicts" }
                    p .note { (VERDICTS) }
                    @for document in documents { @for one in &shown { (verdicts(document, one, all)) } }
                }
                section #figures {
                    h2 { "Figures" }
                    @for (_, _, figure) in &figures { (figure) }
                }
                section #flags { h2 { "Reasons for doubt" } (flags(&slices)) }
                @for document in documents { section #environment {
                    h2 { "The machine" }
                    div .wide { table { @for (name, value) in &document.environment.0 {
                        tr { td { (name) } td { code { (value) } } }
                    } } }
                } }
            } }
        }
    };
    page.into_string()
}

/// Where a run comes from, and whether to believe it.
fn origin(document: &Document) -> Markup {
    let [cpu, kernel, cpus, profile] =
        ["cpu", "kernel", "cpus", "profile"].map(|name| document.environment.get(name));
    html! {
        p .note {
            code { "selbench " (document.arguments.join(" ")) }
            " on " (cpu) ", Linux " (kernel) ", " (cpus) " CPUs, " (profile) ". "
            (table::validity(document)) ". " (table::floor(document)) "."
        }
    }
}

/// The verdicts of a workload, a table for all its points.
fn verdicts(document: &Document, shown: &Shown, all: &[Shown]) -> Markup {
    let mut points = table::points(document, all);
    points.retain(|point| point.workload == shown.name);
    let generated = points.iter().any(table::Point::generated);
    let head = table::head(shown.columns, generated);
    html! {
        @if !points.is_empty() {
            h3 id={ "of-" (shown.name) } { (shown.title) }
            div .wide { table {
                thead { tr { @for (place, title) in head.iter().enumerate() {
                    th .number[place > 0 && place + 2 < head.len()] { (title) }
                } } }
                @for point in &points {
                    tr .point { th colspan=(head.len()) {
                        (point.name.trim_start_matches(shown.name).trim())
                    } }
                    @for row in &point.rows {
                        tr .hollow[!row.valid] { (cells(&row.line(generated))) }
                    }
                }
            } }
        }
    }
}

fn cells(line: &[String]) -> Markup {
    let [subject, figures @ .., verdict, flags] = line else { return Markup::default() };
    html! {
        td { (subject) }
        @for figure in figures { td .number { (figure) } }
        td class=(verdict.split(' ').next().unwrap_or_default()) { (verdict) }
        td .note { (flags) }
    }
}

/// The figure of a workload; nothing where its table says as much.
fn figure(shown: &Shown, slices: &[&Slice]) -> Option<Markup> {
    let slices = groups::of(slices, shown.name);
    let charts = chart::draw(&(shown.charts)(&slices));
    let picture = charts.or_else(|| (shown.html)(&slices))?;
    Some(html! {
        figure id=(shown.name) {
            h3 { (shown.title) }
            figcaption { (shown.words) ((shown.caption)(&slices)) }
            (picture)
        }
    })
}

/// How often each reason was given, and the first of each in words.
fn flags(slices: &[&Slice]) -> Markup {
    let mut reasons = BTreeMap::<(Reason, bool), (usize, String)>::new();
    for slice in slices {
        for flag in &slice.flags {
            let words =
                || format!("{}: {} ({})", slice.spec.subject, flag.detail, slice.spec.point());
            let entry = reasons.entry((flag.reason, flag.label)).or_insert_with(|| (0, words()));
            entry.0 += 1;
        }
    }
    html! {
        @if reasons.is_empty() { p { "None: no check had anything to say." } }
        @else { div .wide { table {
            thead { tr {
                th { "reason" } th { "kind" } th .number { "slices" } th { "for example" }
            } }
            @for ((reason, label), (count, words)) in reasons { tr {
                td { code { (reason.code()) } }
                td { (if label { "label" } else { "invalid" }) }
                td .number { (count) }
                td { (words) }
            } }
        } } }
    }
}
