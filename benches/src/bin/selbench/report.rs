//! The report: one HTML file with inline SVG, that opens without network and without scripts.

mod chart;
mod course;
mod figures;
mod map;
mod tables;

use benches::selbench::schema::Document;

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
    Ok(Ending::Good)
}

/// The whole page; figures without data are left out.
pub(crate) fn draw(documents: &[Document]) -> String {
    let mut body = tables::summary(documents);
    let slices: Vec<_> = documents
        .iter()
        .flat_map(|document| document.slices.iter())
        .filter(|slice| {
            !slice
                .spec
                .subject
                .ends_with(benches::selbench::schema::AGAIN)
        })
        .collect();
    for figure in [
        figures::percentiles(&slices),
        figures::cost(&slices),
        map::win_map(&slices),
        figures::offered(&slices),
        course::time_line(&slices),
        course::system_calls(&slices),
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

/// A figure with its caption.
fn figure(id: &str, title: &str, caption: &str, svg: &str) -> String {
    format!(
        "<figure id=\"{id}\">\n<h2>{title}</h2>\n{svg}\n<figcaption>{caption}</figcaption>\n</figure>\n"
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
