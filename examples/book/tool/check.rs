//! The check of the whole book, once mdBook has built it: its files, its quotes of traces that are
//! recorded anew for each build, and its pages in a browser.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::quote::quotes;
use crate::{browser, built, table, timeline};

/// Where mdBook builds the book.
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
    let mut faults = built::faults(&folder())?;
    faults.extend(misquoted()?);
    match browser::open(&folder(), &pages()?)? {
        None => println!("book: no Chromium here, so no page was opened in a browser"),
        Some(seen) => {
            seen.good.iter().for_each(|line| println!("book: {line}"));
            faults.extend(seen.faults);
        }
    }
    for fault in &faults {
        println!("book: {fault}");
    }
    println!("book: {} faults", faults.len());
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

/// The built pages, by the names of their sources.
fn pages() -> io::Result<Vec<String>> {
    let mut pages = Vec::new();
    for file in fs::read_dir(table::pages())? {
        let path = file?.path();
        let page = path.extension().is_some_and(|kind| kind == "md");
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if page && name != "SUMMARY" {
            pages.push(format!("{name}.html"));
        }
    }
    pages.sort();
    Ok(pages)
}
