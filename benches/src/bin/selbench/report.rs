//! The report: one HTML file with inline SVG, that opens without network and without scripts.
//!
//! [`axis`], [`marks`], [`series`], [`lines`] and [`bars`] draw whatever they are given; [`groups`] says which
//! slices a figure is made of and takes the medians; each other file is a figure.

mod axis;
mod bars;
mod capacity;
mod cascade;
mod churn;
mod cost;
mod echo;
mod fair;
mod groups;
mod idle;
mod lines;
mod map;
mod marks;
mod offered;
mod overload;
mod percentiles;
mod register;
mod series;
mod served;
mod switch;
mod system_calls;
mod tables;
mod time_line;
mod timers;
mod wake;

use benches::selbench::schema::{AGAIN, Document};

use self::groups::Colours;
use crate::arguments::Report;
use crate::{Ending, output};

/// Reads results and draws them.
pub(crate) fn run(options: &Report) -> Result<Ending, String> {
    let documents: Vec<Document> = options
        .results
        .iter()
        .map(|path| Document::read(path))
        .collect::<Result<_, _>>()?;
    output::save(&options.output, &draw(&documents))?;
    let empty = |document: &Document| document.slices.is_empty();
    if documents.iter().all(empty) {
        eprintln!("no file has a slice: nothing was measured, and the report has no figure");
        return Ok(Ending::Invalid);
    }
    Ok(Ending::Good)
}

/// The whole page; figures without data are left out.
pub(crate) fn draw(documents: &[Document]) -> String {
    let mut body = tables::summary(documents);
    // The twin of an A/A pair is for the noise floor; a figure shows each subject once.
    let slices: Vec<_> = documents
        .iter()
        .flat_map(|document| document.slices.iter())
        .filter(|slice| !slice.spec.subject.ends_with(AGAIN))
        .collect();
    let colours = Colours::of(&slices);
    for figure in [
        percentiles::draw(&slices, &colours),
        cost::draw(&slices, &colours),
        map::draw(&slices, &colours),
        offered::draw(&slices, &colours),
        time_line::draw(&slices, &colours),
        system_calls::draw(&slices),
        register::draw(&slices, &colours),
        echo::draw(&slices, &colours),
        capacity::draw(&slices, &colours),
        fair::draw(&slices, &colours),
        overload::draw(&slices, &colours),
        switch::draw(&slices, &colours),
        timers::storm(&slices, &colours),
        timers::overshoot(&slices, &colours),
        wake::draw(&slices, &colours),
        churn::draw(&slices, &colours),
        idle::draw(&slices),
        cascade::draw(&slices, &colours),
    ] {
        body += &figure;
    }
    for document in documents {
        body += &tables::comparisons(document);
    }
    body += &tables::flags(&slices);
    for document in documents {
        body += &tables::environment(document);
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>selbench report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// A figure with its caption; nothing where there is no picture.
fn figure(id: &str, title: &str, caption: &str, picture: &str) -> String {
    if picture.is_empty() {
        return String::new();
    }
    format!(
        "<figure id=\"{id}\">\n<h2>{title}</h2>\n{picture}\n<figcaption>{caption}</figcaption>\n</figure>\n"
    )
}

/// Text that is no markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = include_str!("../../../templates/report.css");
