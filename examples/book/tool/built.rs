//! What must be true of the book once it is made: every include was expanded, every link has
//! its target, and nothing is fetched from another place, so that the book is whole when it is
//! copied, printed, or read without a network.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with the book in a folder, one sentence each; nothing if it is whole.
///
/// # Errors
///
/// What cannot be read.
pub fn faults(folder: &Path) -> io::Result<Vec<String>> {
    let pages = pages(folder)?;
    let mut faults = Vec::new();
    for (path, text) in &pages {
        let name = path.strip_prefix(folder).unwrap_or(path).display();
        let mut fault = |what: String| faults.push(format!("{name}: {what}"));
        if text.contains("{{#") {
            fault("an include was not expanded".into());
        }
        for link in links(text) {
            let Some(target) = local(&link.target) else {
                if link.fetched {
                    fault(format!("{} is fetched from elsewhere", link.target));
                }
                continue;
            };
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = file.split('?').next().unwrap_or(file);
            let file = match (file, path.parent()) {
                ("", _) | (_, None) => path.clone(),
                (file, Some(beside)) => beside.join(file),
            };
            if !file.is_file() {
                fault(format!("{target} does not exist"));
            } else if !anchor.is_empty() && !has(&pages, &file, anchor) {
                fault(format!("{target}: the page has no such place"));
            }
        }
    }
    for sheet in sheets(folder)? {
        let text = fs::read_to_string(&sheet)?;
        let outside = ["url(http", "url('http", "url(\"http", "url(//", "@import"];
        if outside.iter().any(|begin| text.contains(begin)) {
            let name = sheet.strip_prefix(folder).unwrap_or(&sheet).display();
            faults.push(format!("{name}: something in it is fetched from elsewhere"));
        }
    }
    if !pages.contains_key(&folder.join("print.html")) {
        faults.push("print.html: the book cannot be printed".into());
    }
    let searchable = fs::read_dir(folder)?.flatten().any(|file| {
        let name = file.file_name();
        name.to_string_lossy().starts_with("searchindex")
    });
    if !searchable {
        faults.push("searchindex: the book cannot be searched".into());
    }
    faults.sort();
    faults.dedup();
    Ok(faults)
}

/// The pages of the book, and their texts. Timelines are pages of their own, made elsewhere.
fn pages(folder: &Path) -> io::Result<HashMap<PathBuf, String>> {
    let mut pages = HashMap::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|kind| kind == "html") {
            let text = fs::read_to_string(&path)?;
            pages.insert(path, text);
        }
    }
    Ok(pages)
}

/// The style sheets of the book, in its folder and one below it.
fn sheets(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut sheets = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.is_dir() {
            for file in fs::read_dir(path)? {
                sheets.push(file?.path());
            }
        } else {
            sheets.push(path);
        }
    }
    sheets.retain(|path| path.extension().is_some_and(|kind| kind == "css"));
    Ok(sheets)
}

/// A place that a page names.
struct Link {
    target: String,
    /// The browser gets it by itself; it does not wait for the reader to follow.
    fetched: bool,
}

/// All that the tags of a page link to.
fn links(page: &str) -> Vec<Link> {
    // In text, `<` is written `&lt;`: what is left begins a tag.
    let tags = page.split('<').skip(1).filter_map(|rest| {
        let (tag, _) = rest.split_once('>')?;
        Some(tag)
    });
    tags.filter_map(|tag| {
        let value = [" href=\"", " src=\""].iter().find_map(|name| {
            let (_, rest) = tag.split_once(name)?;
            Some(rest.split_once('"')?.0.to_owned())
        })?;
        Some(Link {
            target: value,
            fetched: !tag.starts_with("a "),
        })
    })
    .collect()
}

/// The link, if it leads to a file of the book.
fn local(target: &str) -> Option<&str> {
    let scheme = target.split(['/', '#', '?']).next().unwrap_or_default();
    let elsewhere = scheme.contains(':') || target.starts_with("//");
    (!elsewhere && !target.is_empty()).then_some(target)
}

fn has(pages: &HashMap<PathBuf, String>, file: &Path, anchor: &str) -> bool {
    let page = pages.get(file);
    page.is_some_and(|page| page.contains(&format!("id=\"{anchor}\"")))
}
