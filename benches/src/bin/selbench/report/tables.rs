//! The parts of the report that are words: summary, comparisons, flags, environment.

use std::collections::BTreeMap;

use benches::selbench::schema::{Document, Slice};
use benches::selbench::statistics::Verdict;

use super::escape;
use crate::table;

/// What this is and whether to believe it.
pub(super) fn summary(documents: &[Document]) -> String {
    let slices: usize = documents.iter().map(|document| document.slices.len()).sum();
    let valid: usize = documents
        .iter()
        .flat_map(|document| &document.slices)
        .filter(|slice| slice.valid())
        .count();
    let mut words = format!("{valid} of {slices} slices are valid. ");
    if valid < slices {
        words +=
            "Invalid ones are dashed and hollow, and take no part in verdicts; the flags say why. ";
    }
    for document in documents {
        words += &format!("{}. ", table::floor(document));
        if document.interrupted {
            words += "The run was interrupted or out of time: blocks are missing. ";
        }
    }
    let lines: Vec<String> = documents
        .iter()
        .map(|document| {
            let facts = &document.environment;
            format!(
                "<code>selbench {}</code> on {}, Linux {}, {} CPUs, {}",
                escape(&document.arguments.join(" ")),
                escape(facts.get("cpu")),
                escape(facts.get("kernel")),
                escape(facts.get("cpus")),
                escape(facts.get("profile"))
            )
        })
        .collect();
    format!(
        "<h1>selbench</h1>\n<p>{}</p>\n<p class=\"note\" id=\"validity\">{words}</p>\n",
        lines.join("<br>")
    )
}

/// Every pair: ratio, interval, verdict.
pub(super) fn comparisons(document: &Document) -> String {
    if document.comparisons.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for one in &document.comparisons {
        let class = match one.verdict {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::Same | Verdict::Inconclusive => "",
        };
        rows += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{:.3}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"{class}\">{}</td></tr>\n",
            escape(&one.point),
            escape(&one.subject),
            escape(&one.baseline),
            one.ratio,
            one.interval(" \u{2013} "),
            one.blocks,
            one.verdict.words(one.threshold)
        );
    }
    format!(
        "<section id=\"comparisons\"><h2>Comparisons</h2><p class=\"note\">Cost of the subject over \
         cost of the baseline, median over blocks of paired slices, 95 % interval by bootstrap over \
         the blocks. No valid blocks: the ratio of the invalid ones, without a verdict.</p>\
         <div class=\"wide\"><table><thead><tr><th>point</th><th>subject</th><th>against</th>\
         <th class=\"number\">ratio</th><th class=\"number\">95 %</th><th class=\"number\">blocks</th>\
         <th>verdict</th></tr></thead><tbody>\n{rows}</tbody></table></div></section>\n"
    )
}

/// How often each reason was given, and the first of each in words.
pub(super) fn flags(slices: &[&Slice]) -> String {
    let mut reasons = BTreeMap::new();
    for slice in slices {
        for flag in &slice.flags {
            let entry = reasons.entry(flag.reason).or_insert((0, slice, flag));
            entry.0 += 1;
        }
    }
    if reasons.is_empty() {
        return "<section id=\"flags\"><h2>Flags</h2><p>None: no check had anything to say.</p></section>\n".to_owned();
    }
    let rows: String = reasons
        .into_iter()
        .map(|(reason, (count, slice, flag))| {
            let kind = if reason.invalidates() { "invalid" } else { "label" };
            format!(
                "<tr><td><code>{}</code></td><td>{kind}</td><td class=\"number\">{count}</td><td>{}: {} ({})</td></tr>\n",
                reason.code(),
                escape(&slice.spec.subject),
                escape(&flag.detail),
                escape(&slice.spec.point())
            )
        })
        .collect();
    format!(
        "<section id=\"flags\"><h2>Flags</h2><div class=\"wide\"><table><thead><tr><th>reason</th><th>kind</th>\
         <th class=\"number\">slices</th><th>for example</th></tr></thead><tbody>\n{rows}</tbody></table></div></section>\n"
    )
}

/// The machine and the build.
pub(super) fn environment(document: &Document) -> String {
    let rows: String = document
        .environment
        .0
        .iter()
        .map(|(name, value)| {
            format!(
                "<tr><td>{}</td><td><code>{}</code></td></tr>\n",
                escape(name),
                escape(value)
            )
        })
        .collect();
    format!(
        "<section class=\"environment\"><h2>Environment</h2><div class=\"wide\"><table><tbody>\n{rows}</tbody></table></div></section>\n"
    )
}
