//! The book as pages of markup, in `target/book`: nothing of it needs a server or a network.

use std::fs;
use std::io;
use std::path::Path;

use crate::page::{Page, expanded, page};
use crate::paint::escape;
use crate::summary::{Entry, order};
use crate::table;
use crate::timeline;

/// What the pages share: how they look, and what they do.
const SHARED: [(&str, &str); 2] = [
    ("book.css", include_str!("../web/book.css")),
    ("book.js", include_str!("../web/book.js")),
];
const TITLE: &str = "See the loop turn";

/// Makes the book anew, of pages and of what was recorded for them; the answer is the number of its
/// pages.
///
/// # Errors
///
/// What cannot be read or written, or is included and not there.
pub fn write(folder: &Path) -> io::Result<usize> {
    if folder.is_dir() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join(timeline::FOLDER))?;
    for (name, text) in SHARED {
        fs::write(folder.join(name), text)?;
    }
    for file in fs::read_dir(table::pages().join(timeline::FOLDER))? {
        let path = file?.path();
        if path.extension().is_some_and(|kind| kind == "html") {
            let name = path.file_name().unwrap_or_default();
            fs::copy(&path, folder.join(timeline::FOLDER).join(name))?;
        }
    }
    let entries = order(&fs::read_to_string(table::pages().join("SUMMARY.md"))?);
    let (mut index, mut printed) = (Vec::new(), String::new());
    for (at, entry) in entries.iter().enumerate() {
        let markdown = expanded(&table::pages().join(format!("{}.md", entry.name)))?;
        let shown = page(&markdown, "");
        for section in &shown.sections {
            let words: Vec<&str> = section.text.split_whitespace().collect();
            let address = format!("{}.html#{}", entry.name, section.id);
            index.push([
                address,
                heading(entry),
                section.title.clone(),
                words.join(" "),
            ]);
        }
        let file = folder.join(format!("{}.html", entry.name));
        fs::write(file, whole(&entries, at, &shown))?;
        printed += &for_paper(entry, &markdown);
    }
    let index = serde_json::to_string(&index).map_err(io::Error::other)?;
    fs::write(
        folder.join("searchindex.js"),
        format!("const SEARCH = {index};\n"),
    )?;
    let paper = shell(
        "all of it",
        "",
        &format!("<main class=\"paper\">\n{printed}</main>\n"),
    );
    fs::write(folder.join("print.html"), paper)?;
    Ok(entries.len())
}

/// What a page is called in lists.
fn heading(entry: &Entry) -> String {
    match entry.number {
        Some(number) => format!("{number}. {}", entry.title),
        None => entry.title.clone(),
    }
}

/// A document, with this in its head and in its body.
fn shell(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} · {TITLE}</title>\n\
         <link rel=\"stylesheet\" href=\"book.css\">\n{head}\
         <script src=\"book.js\"></script>\n\
         </head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

/// A page with the way to all others around it. What is read comes first, also for those who go by
/// keys or are read to; the list of all pages stands behind it, and at the left where there is room.
fn whole(entries: &[Entry], at: usize, page: &Page) -> String {
    let entry = &entries[at];
    let neighbour = |at: Option<usize>, rel: &str| {
        let near = entries.get(at?)?;
        let (name, title) = (&near.name, escape(&heading(near)));
        let arrow = if rel == "prev" {
            format!("← {title}")
        } else {
            format!("{title} →")
        };
        Some((
            format!("<link rel=\"{rel}\" href=\"{name}.html\">\n"),
            format!("<a rel=\"{rel}\" href=\"{name}.html\">{arrow}</a>"),
        ))
    };
    let (before, back) = neighbour(at.checked_sub(1), "prev").unwrap_or_default();
    let (after, onward) = neighbour(Some(at + 1), "next").unwrap_or_default();
    let listed = |near: &Entry| {
        let current = if near == entry {
            " aria-current=\"page\""
        } else {
            ""
        };
        let (name, title) = (&near.name, escape(&heading(near)));
        format!("<li><a href=\"{name}.html\"{current}>{title}</a></li>\n")
    };
    let list: String = entries.iter().map(listed).collect();
    let body = format!(
        "<header>\n<a class=\"home\" href=\"index.html\">{TITLE}</a>\n\
         <a class=\"to-contents\" href=\"#contents\">Contents</a>\n\
         <input id=\"search\" type=\"search\" placeholder=\"Search ( / )\" \
         aria-label=\"Search the book\" aria-keyshortcuts=\"/\">\n\
         <button id=\"theme\">Light or dark</button>\n\
         <ol id=\"results\" aria-label=\"Found\" aria-live=\"polite\" hidden></ol>\n</header>\n\
         <main>\n{}<nav class=\"order\" aria-label=\"Reading order\">{back}{onward}</nav>\n</main>\n\
         <nav id=\"contents\" aria-label=\"Contents\">\n<ol>\n{list}\
         <li><a href=\"print.html\">All of it, to print</a></li>\n</ol>\n</nav>\n",
        page.html
    );
    shell(&entry.title, &(before + &after), &body)
}

/// A page as a part of the one that is printed: links lead to places in it, and there are no
/// timelines, which paper cannot step through.
fn for_paper(entry: &Entry, markdown: &str) -> String {
    let lines = markdown
        .lines()
        .filter(|line| !line.starts_with("<iframe class=\"timeline\""));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let part = page(&text, &format!("{}-", entry.name)).html;
    let mut out = format!("<article id=\"{}\">\n", entry.name);
    let mut links = part.split("<a href=\"");
    out += links.next().unwrap_or_default();
    for rest in links {
        let (target, rest) = rest.split_once('"').unwrap_or((rest, ""));
        let inside = match target.split_once(".html") {
            Some((name, "")) if !name.contains(['/', ':']) => format!("#{name}"),
            Some((name, place)) if !name.contains(['/', ':']) && place.starts_with('#') => {
                place.to_owned()
            }
            _ => target.to_owned(),
        };
        out += &format!("<a href=\"{inside}\"{rest}");
    }
    out + "</article>\n"
}

#[cfg(test)]
mod tests {
    use super::{for_paper, whole};
    use crate::page::page;
    use crate::summary::order;

    #[test]
    fn every_page_knows_the_way_on_and_back() {
        let entries = order("[Front](index.md)\n- [One](ch01.md)\n- [Two](ch02.md)\n");
        let text = whole(&entries, 1, &page("# One\n", ""));
        for part in [
            "<a rel=\"prev\" href=\"index.html\">← Front</a>",
            "<a rel=\"next\" href=\"ch02.html\">2. Two →</a>",
            "<a href=\"ch01.html\" aria-current=\"page\">1. One</a>",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let last = whole(&entries, 2, &page("# Two\n", ""));
        assert!(!last.contains("rel=\"next\""));
    }

    #[test]
    fn on_paper_links_lead_to_places_of_the_one_page() {
        let entries = order("- [One](ch01.md)\n");
        let markdown = "# One\n\n[a](ch02.md) [b](ch02.md#q3) [c](#q1) [d](https://e.org/x.html)\n\n\
                        <iframe class=\"timeline\" src=\"timelines/s01.html\"></iframe>\n";
        let text = for_paper(&entries[0], markdown);
        for link in ["#ch02\"", "#q3\"", "#q1\"", "https://e.org/x.html\""] {
            assert!(
                text.contains(&format!("<a href=\"{link}")),
                "{link}: {text}"
            );
        }
        assert!(text.contains("id=\"ch01-one\""), "{text}");
        assert!(!text.contains("iframe"), "{text}");
    }
}
