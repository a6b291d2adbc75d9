//! The page: one HTML file that opens without network and without scripts. First the answer in
//! words and what is on the page, then the verdicts, then the figures, then the reasons for doubt and
//! the machine.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Shown, chart, escape, groups, summary, table};
use crate::method::{Document, Reason, Slice};

const STYLE: &str = include_str!("report.css");

/// The whole page; figures without data are left out.
pub fn draw(documents: &[Document], all: &[Shown]) -> String {
    let slices: Vec<&Slice> = documents.iter().flat_map(|document| &document.slices).collect();
    let shown: Vec<&Shown> =
        all.iter().filter(|one| !groups::of(&slices, one.name).is_empty()).collect();
    let figures: Vec<(&Shown, String)> = shown
        .iter()
        .map(|one| (*one, figure(one, &slices)))
        .filter(|(_, html)| !html.is_empty())
        .collect();
    let mut body = head(documents, all);
    body += &contents(&shown, &figures);
    body += "<section id=\"verdicts\"><h2>Verdicts</h2><p class=\"note\">The cost of each subject over \
             the cost of the baseline: the median over blocks of paired slices, with its 95 % interval. \
             \u{201c}of gen.\u{201d} is the share of what the load generator can do where everything is \
             answered at once; rows beyond 70 % are marked. Hollow rows have no valid slice.</p>\n";
    for document in documents {
        for one in &shown {
            body += &tables(document, one, all);
        }
    }
    body += "</section>\n<section id=\"figures\"><h2>Figures</h2>\n";
    body.extend(figures.into_iter().map(|(_, html)| html));
    body += "</section>\n";
    body += &flags(&slices);
    body.extend(documents.iter().map(environment));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>selbench report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n"
    )
}

/// The answer in words, and whether to believe it.
fn head(documents: &[Document], all: &[Shown]) -> String {
    let mut html =
        "<h1>selbench</h1>\n<section id=\"summary\"><h2>In words</h2>\n<ul>\n".to_owned();
    for sentence in summary::sentences(documents, all) {
        let _ = writeln!(html, "<li>{}</li>", escape(&sentence));
    }
    html += "</ul>\n<div id=\"validity\">";
    for document in documents {
        let facts = &document.environment;
        let words = document.arguments.join(" ");
        let [cpu, kernel, cpus] = ["cpu", "kernel", "cpus"].map(|name| escape(facts.get(name)));
        let _ = writeln!(
            html,
            "<p class=\"note\"><code>selbench {}</code> on {cpu}, Linux {kernel}, {cpus} CPUs, {}. {}. {}.</p>",
            escape(&words),
            escape(facts.get("profile")),
            table::validity(document),
            table::floor(document)
        );
    }
    html + "</div></section>\n"
}

fn contents(shown: &[&Shown], figures: &[(&Shown, String)]) -> String {
    let link = |to: &str, words: &str| format!("<a href=\"#{to}\">{words}</a>");
    let tables: Vec<String> =
        shown.iter().map(|one| link(&format!("of-{}", one.name), one.title)).collect();
    let figures: Vec<String> = figures.iter().map(|(one, _)| link(one.name, one.title)).collect();
    format!(
        "<nav><ul>\n<li>{}: {}</li>\n<li>{}: {}</li>\n<li>{}</li>\n<li>{}</li>\n</ul></nav>\n",
        link("verdicts", "Verdicts"),
        tables.join(" \u{b7} "),
        link("figures", "Figures"),
        figures.join(" \u{b7} "),
        link("flags", "Reasons for doubt"),
        link("environment", "The machine")
    )
}

/// The verdicts of a workload, a table for all its points.
fn tables(document: &Document, shown: &Shown, all: &[Shown]) -> String {
    let points =
        table::points(document, all).into_iter().filter(|point| point.workload == shown.name);
    let mut rows = String::new();
    let mut generated = false;
    let points: Vec<_> = points.collect();
    for point in &points {
        generated |= point.rows.iter().any(|row| row.generator.is_some());
    }
    for point in &points {
        let span = 5 + point.columns.len() + usize::from(generated);
        let name = escape(point.name.trim_start_matches(shown.name).trim());
        let _ = writeln!(rows, "<tr class=\"point\"><th colspan=\"{span}\">{name}</th></tr>");
        for row in &point.rows {
            let hollow = if row.valid { "" } else { " class=\"hollow\"" };
            let cells: String =
                row.cells.iter().map(|cell| format!("<td class=\"number\">{cell}</td>")).collect();
            let generator = match generated {
                true => format!("<td class=\"number\">{}</td>", row.generator()),
                false => String::new(),
            };
            let [ratio, interval, verdict] = row.verdict();
            let _ = writeln!(
                rows,
                "<tr{hollow}><td>{}</td>{cells}{generator}<td class=\"number\">{ratio}</td>\
                 <td class=\"number\">{interval}</td><td class=\"{}\">{verdict}</td>\
                 <td class=\"note\">{}</td></tr>",
                escape(row.subject),
                verdict.split(' ').next().unwrap_or_default(),
                row.flags
            );
        }
    }
    if rows.is_empty() {
        return rows;
    }
    let titles: String = shown
        .columns
        .iter()
        .map(|column| format!("<th class=\"number\">{}</th>", column.0))
        .collect();
    let generator = if generated { "<th class=\"number\">of gen.</th>" } else { "" };
    format!(
        "<h3 id=\"of-{}\">{}</h3>\n<div class=\"wide\"><table><thead><tr><th>subject</th>{titles}{generator}\
         <th class=\"number\">ratio</th><th class=\"number\">95 %</th><th>verdict</th><th>flags</th></tr>\
         </thead><tbody>\n{rows}</tbody></table></div>\n",
        shown.name, shown.title
    )
}

/// The figure of a workload; nothing where its table says as much.
fn figure(shown: &Shown, slices: &[&Slice]) -> String {
    let slices = groups::of(slices, shown.name);
    let picture = chart::draw(&(shown.charts)(&slices)) + &(shown.html)(&slices);
    if picture.is_empty() {
        return picture;
    }
    let caption = escape(&format!("{}{}", shown.words, (shown.caption)(&slices)));
    format!(
        "<figure id=\"{}\">\n<h3>{}</h3>\n<figcaption>{caption}</figcaption>\n{picture}</figure>\n",
        shown.name, shown.title
    )
}

/// How often each reason was given, and the first of each in words.
fn flags(slices: &[&Slice]) -> String {
    let mut reasons = BTreeMap::<(Reason, bool), (usize, String)>::new();
    for slice in slices {
        for flag in &slice.flags {
            let words =
                || format!("{}: {} ({})", slice.spec.subject, flag.detail, slice.spec.point());
            let entry = reasons.entry((flag.reason, flag.label)).or_insert_with(|| (0, words()));
            entry.0 += 1;
        }
    }
    let mut html = "<section id=\"flags\"><h2>Reasons for doubt</h2>".to_owned();
    if reasons.is_empty() {
        return html + "<p>None: no check had anything to say.</p></section>\n";
    }
    html += "<div class=\"wide\"><table><thead><tr><th>reason</th><th>kind</th>\
             <th class=\"number\">slices</th><th>for example</th></tr></thead><tbody>\n";
    for ((reason, label), (count, words)) in reasons {
        let kind = if label { "label" } else { "invalid" };
        let (code, words) = (reason.code(), escape(&words));
        let _ = writeln!(
            html,
            "<tr><td><code>{code}</code></td><td>{kind}</td><td class=\"number\">{count}</td><td>{words}</td></tr>"
        );
    }
    html + "</tbody></table></div></section>\n"
}

fn environment(document: &Document) -> String {
    let mut rows = String::new();
    for (name, value) in &document.environment.0 {
        let (name, value) = (escape(name), escape(value));
        let _ = writeln!(rows, "<tr><td>{name}</td><td><code>{value}</code></td></tr>");
    }
    format!(
        "<section id=\"environment\"><h2>The machine</h2><div class=\"wide\"><table><tbody>\n{rows}</tbody>\
         </table></div></section>\n"
    )
}
