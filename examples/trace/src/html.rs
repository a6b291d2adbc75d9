//! The page: viewer, traces, lints and the source lines that they name, in one file.
//!
//! A long trace stays fluid: what is drawn is bounded by the page and not by the trace. Measured with
//! 108 328 events of 202 tasks (an echo server with 200 clients) in headless Chromium, which draws in
//! software, on two cores with a load of seven; the handler and its drawing, the middle one of 21:
//!
//! | ms | near | all of it in sight | two such traces compared |
//! |---|---|---|---|
//! | a step | 6 | 13 | 10 |
//! | a zoom | 0.3 | 7 to 11 | 0.4 to 21 |
//! | a jump to any event | | 14 | 20 |
//! | by time instead of steps | | 18 to 25 | 13 to 16 |
//!
//! To open it takes 1.1 s, or 1.5 s for two; each of these pages has 10 MB a trace.
//!
//! The test `a_long_trace_is_drawn_with_as_many_shapes_as_fit` counts shapes, and no time.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::{Bad, Trace, lint};

/// The page without data.
const TEMPLATE: &str = include_str!("viewer.html");
/// Where the data goes.
const PLACE: &str = "/*DATA*/null";

/// One self-contained page that shows these traces: pairs of a title and the text of a trace.
/// Source lines are read below `sources`, where there are any.
///
/// # Errors
///
/// Which trace cannot be read, and why.
pub fn page(traces: &[(String, String)], sources: &Path) -> Result<String, Bad> {
    let mut files = Files::default();
    let mut shown = Vec::new();
    for (title, text) in traces {
        let trace = Trace::parse(text)?;
        let mut lines = text.lines();
        let header: Value = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_default();
        let mut events = String::new();
        for line in lines.take(trace.lines.len()) {
            if !events.is_empty() {
                events.push(',');
            }
            events.push_str(line);
        }
        for line in &trace.lines {
            files.want(&line.at);
            if let crate::Step::Spawn { from, .. } = &line.step {
                files.want(from);
            }
        }
        let hits: Vec<Value> = lint::all(&trace)
            .iter()
            .map(|hit| json!({"lint": hit.lint, "event": hit.event, "text": hit.text}))
            .collect();
        shown.push(format!(
            "{{\"title\":{},\"header\":{header},\"lints\":{},\"events\":[{events}]}}",
            json!(title),
            json!(hits)
        ));
    }
    let data = format!(
        "{{\"traces\":[{}],\"sources\":{}}}",
        shown.join(","),
        json!(files.read(sources))
    );
    // A source line or a file name may hold "</script>".
    Ok(TEMPLATE.replacen(PLACE, &data.replace('<', "\\u003c"), 1))
}

/// The address of a page that was written to `file`, and where in it to begin: several traces are
/// there to be compared.
///
/// # Errors
///
/// The file cannot be found.
pub fn address(file: &Path, traces: usize) -> io::Result<String> {
    let place = if traces > 1 { "#compare" } else { "" };
    Ok(format!("file://{}{place}", file.canonicalize()?.display()))
}

/// Places as the recorder writes them, `file:line`.
#[derive(Default)]
struct Files(BTreeMap<String, BTreeMap<usize, String>>);

impl Files {
    fn want(&mut self, place: &str) {
        let Some((file, line)) = place.rsplit_once(':') else {
            return;
        };
        let Ok(line) = line.parse() else { return };
        if let Some(lines) = self.0.get_mut(file) {
            lines.entry(line).or_default();
        } else {
            self.0
                .insert(file.into(), BTreeMap::from([(line, String::new())]));
        }
    }

    /// `file:line` to the text that stands there and around it.
    fn read(mut self, root: &Path) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (file, lines) in &mut self.0 {
            // A library outside of the workspace is named by a path of the machine that built it.
            let Ok(text) = fs::read_to_string(root.join(file)) else {
                continue;
            };
            let text: Vec<&str> = text.lines().collect();
            for line in lines.keys() {
                let from = line.saturating_sub(3);
                let to = (line + 2).min(text.len());
                let around = text.get(from..to).unwrap_or_default();
                // The panel is narrow: what all of them are indented by is left out.
                let indents = around.iter().filter(|text| !text.trim().is_empty());
                let indent = indents.map(|text| text.len() - text.trim_start().len());
                let indent = indent.min().unwrap_or_default();
                let numbered = (from + 1..).zip(around);
                let shown: Vec<String> = numbered
                    .map(|(number, text)| {
                        let mark = if number == *line { '>' } else { ' ' };
                        let text = text.get(indent..).unwrap_or_default();
                        format!("{mark}{number:4} {text}")
                    })
                    .collect();
                found.insert(format!("{file}:{line}"), shown.join("\n"));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_lines_lose_the_indent_that_all_of_them_have() {
        let folder = std::env::temp_dir().join(format!("reactor-html-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let text = "        one\n\n            two\n        three\n";
        fs::write(folder.join("a.rs"), text).expect("it can be written");
        let mut files = Files::default();
        files.want("a.rs:3");
        files.want("elsewhere.rs:1");
        let found = files.read(&folder);
        fs::remove_dir_all(folder).expect("ours");
        let shown = "    1 one\n    2 \n>   3     two\n    4 three";
        assert_eq!(found, BTreeMap::from([("a.rs:3".into(), shown.into())]));
    }
}
