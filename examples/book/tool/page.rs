//! A page of the book: its Markdown as markup, and what of it can be searched.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd, html};

use crate::paint::{block, escape};

/// What stands under one heading.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Where the heading is in its page.
    pub id: String,
    /// Its words.
    pub title: String,
    /// The words under it, code and all.
    pub text: String,
}

/// One page.
#[derive(Debug)]
pub struct Page {
    /// What stands inside of `<main>`.
    pub html: String,
    /// Its headings, in their order.
    pub sections: Vec<Section>,
}

/// The Markdown of a file, with everything that it includes.
///
/// # Errors
///
/// A file that it includes and that is not there, with the place that wants it.
pub fn expanded(file: &Path) -> io::Result<String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut out = String::new();
    for line in fs::read_to_string(file)?.lines() {
        let included = line.strip_prefix("{{#include ");
        match included.and_then(|rest| rest.strip_suffix("}}")) {
            None => out.push_str(line),
            Some(name) => {
                let text = fs::read_to_string(folder.join(name)).map_err(|error| {
                    let page = file.display();
                    let text = format!("{page} includes {name}, and it cannot be read: {error}");
                    io::Error::new(error.kind(), text)
                })?;
                out.push_str(text.trim_end_matches('\n'));
            }
        }
        out.push('\n');
    }
    Ok(out)
}

/// A page of the book, made of Markdown. The places of its headings begin with `prefix`: all pages
/// together are one page as well, and none may stand there twice.
#[must_use]
pub fn page(markdown: &str, prefix: &str) -> Page {
    let options = Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut events = Parser::new_ext(markdown, options);
    let mut out: Vec<Event<'_>> = Vec::new();
    let mut sections = Vec::new();
    let mut taken = HashSet::new();
    while let Some(event) = events.next() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let code = text_until(&mut events, TagEnd::CodeBlock);
                let info = match &kind {
                    CodeBlockKind::Fenced(info) => &**info,
                    CodeBlockKind::Indented => "",
                };
                let language = info.split(',').next().unwrap_or_default();
                search(&mut sections, &code);
                // A block that is wider than the window is scrolled, by keys as well.
                out.push(Event::Html(
                    format!(
                        "<pre tabindex=\"0\"><code class=\"{}\">{}</code></pre>\n",
                        escape(language),
                        block(language, &code)
                    )
                    .into(),
                ));
            }
            Event::Start(Tag::Heading { level, id, .. }) => {
                let inside: Vec<_> = events
                    .by_ref()
                    .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
                    .collect();
                let title: String = inside.iter().filter_map(words).collect();
                let id = id.map_or_else(|| free(prefix, &title, &mut taken), |id| id.to_string());
                let mut words = String::new();
                html::push_html(&mut words, inside.into_iter());
                let heading = format!(
                    "<{level} id=\"{0}\"><a class=\"here\" href=\"#{0}\">{words}</a></{level}>\n",
                    escape(&id)
                );
                out.push(Event::Html(heading.into()));
                sections.push(Section {
                    id,
                    title,
                    text: String::new(),
                });
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => out.push(Event::Start(Tag::Link {
                link_type,
                dest_url: built(&dest_url).into(),
                title,
                id,
            })),
            // A table that is wider than the window is scrolled by itself.
            Event::Start(Tag::Table(columns)) => {
                out.push(Event::Html("<div class=\"table\">".into()));
                out.push(Event::Start(Tag::Table(columns)));
            }
            Event::End(TagEnd::Table) => {
                out.push(event);
                out.push(Event::Html("</div>\n".into()));
            }
            Event::Html(markup) if markup.starts_with("<iframe class=\"timeline\"") => {
                out.push(Event::Html(timeline(&markup).into()));
            }
            event => {
                if let Some(text) = words(&event) {
                    search(&mut sections, text);
                }
                out.push(event);
            }
        }
    }
    let mut markup = String::new();
    html::push_html(&mut markup, out.into_iter());
    Page {
        html: markup,
        sections,
    }
}

/// A timeline, with the keys that turn it below.
fn timeline(frame: &str) -> String {
    let source = frame
        .split_once("src=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(source, _)| source);
    format!(
        "<figure class=\"timeline\">{}<figcaption><kbd>←</kbd> <kbd>→</kbd> step through what is in \
         sight; <kbd>Tab</kbd> goes into it, and <kbd>?</kbd> lists its keys. \
         <a href=\"{source}\">By itself</a></figcaption></figure>\n",
        frame.trim_end()
    )
}

/// The words of an event that is read and searched.
fn words<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    match event {
        Event::Text(text) | Event::Code(text) => Some(text),
        Event::SoftBreak | Event::HardBreak | Event::End(_) => Some(" "),
        _ => None,
    }
}

fn search(sections: &mut [Section], text: &str) {
    if let Some(section) = sections.last_mut() {
        section.text.push_str(text);
    }
}

/// The text up to the end of what has begun.
fn text_until<'a>(events: &mut impl Iterator<Item = Event<'a>>, end: TagEnd) -> String {
    let inside = events.take_while(|event| *event != Event::End(end));
    let texts = inside.filter_map(|event| match event {
        Event::Text(text) => Some(text.to_string()),
        _ => None,
    });
    texts.collect()
}

/// Where a link to a page of Markdown leads once it is built.
fn built(link: &str) -> String {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    match file.strip_suffix(".md") {
        Some(name) if !file.contains(':') => match anchor {
            "" => format!("{name}.html"),
            anchor => format!("{name}.html#{anchor}"),
        },
        _ => link.to_owned(),
    }
}

/// A name for a heading that no other heading of the page has.
fn free(prefix: &str, title: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = title
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let name = format!("{prefix}{}", words.join("-"));
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names
        .find(|name| taken.insert(name.clone()))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::{built, page};

    #[test]
    fn headings_have_places_and_links_lead_to_what_is_built() {
        let page = page(
            "# A `waker`\n\n[q](ch07.md#q3), [x](https://e.org/a.md)\n\n# A waker\n",
            "",
        );
        assert_eq!(page.sections[0].id, "a-waker");
        assert_eq!(page.sections[1].id, "a-waker-2");
        assert!(page.html.contains("<h1 id=\"a-waker\">"), "{}", page.html);
        assert!(page.html.contains("href=\"ch07.html#q3\""), "{}", page.html);
        assert_eq!(page.sections[0].text.trim(), "q , x");
        assert_eq!(built("https://e.org/a.md"), "https://e.org/a.md");
        assert_eq!(built("#here"), "#here");
    }

    #[test]
    fn code_is_text_and_can_be_searched() {
        let page = page("# A\n\n```rs\nlet a = b::<C>();\n```\n", "");
        assert!(page.html.contains("b::&lt;C&gt;()"), "{}", page.html);
        assert!(page.sections[0].text.contains("b::<C>()"));
    }

    #[test]
    fn a_timeline_says_its_keys() {
        let page = page(
            "<iframe class=\"timeline\" src=\"timelines/s07.html\"></iframe>\n",
            "",
        );
        assert!(
            page.html.starts_with("<figure class=\"timeline\"><iframe"),
            "{}",
            page.html
        );
        assert!(page.html.contains("<a href=\"timelines/s07.html\">"));
    }
}
