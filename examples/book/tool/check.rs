//! The check of the whole book, once it is built: its files, its quotes of traces that are
//! recorded anew for each build, and its pages in a browser.

use std::fs;
use std::io;
use std::path::PathBuf;

use trace::say;

use crate::quote::quotes;
use crate::summary::order;
use crate::{browser, built, table, timeline};

/// Where the book is built.
#[must_use]
pub fn folder() -> PathBuf {
    table::root().join("target/book")
}

/// Checks the built book and says what it saw; the answer is whether all is well.
///
/// # Errors
///
/// What cannot be read or run.
pub fn whole() -> io::Result<bool> {
    say!("book: looking for links that lead nowhere, and for quotes of what did not happen");
    let mut faults = built::faults(&folder())?;
    faults.extend(misquoted()?);
    say!("book: opening every page in Chromium, wide and narrow");
    match browser::open(&folder(), &pages()?)? {
        None => say!("book: no Chromium here, so no page was opened in a browser"),
        Some(seen) => {
            seen.good.iter().for_each(|line| say!("book: {line}"));
            faults.extend(seen.faults);
        }
    }
    for fault in &faults {
        say!("book: {fault}");
    }
    say!("book: {} faults", faults.len());
    Ok(faults.is_empty())
}

/// Quotes of runs that did not happen when the programs were recorded for this build.
fn misquoted() -> io::Result<Vec<String>> {
    let runs = table::pages().join(timeline::FOLDER);
    let mut faults = Vec::new();
    for page in pages()? {
        let source = page.replace(".html", ".md");
        for quote in quotes(&fs::read_to_string(table::pages().join(&source))?) {
            let Some(run) = quote.run() else { continue };
            let listing = fs::read_to_string(runs.join(format!("{run}.run")))?;
            if let Some(line) = quote.missing(&listing) {
                faults.push(format!("{source}: {run} does not have `{line}` there"));
            }
        }
    }
    Ok(faults)
}

/// The built pages, in the order in which they are read.
fn pages() -> io::Result<Vec<String>> {
    let entries = order(&fs::read_to_string(table::pages().join("SUMMARY.md"))?);
    Ok(entries
        .iter()
        .map(|entry| format!("{}.html", entry.name))
        .collect())
}
