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

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::hang::Asleep;
use crate::sha256::{base64, sha256};
use crate::sources::Sources;
use crate::{Bad, Trace, hang, lint, tour};

/// The page without data.
const TEMPLATE: &str = include_str!("viewer.html");
/// Where the data goes.
const PLACE: &str = "/*DATA*/null";

/// A page, and what it does without.
#[derive(Clone, Debug)]
pub struct Page {
    /// The whole file.
    pub text: String,
    /// Source files that the traces name and that are not quoted, each with its reason.
    pub left_out: Vec<(String, String)>,
}

/// One self-contained page that shows these traces: pairs of a title and the text of a trace.
/// Source lines are read below `sources`, where there are any.
///
/// # Errors
///
/// Which trace cannot be read, and why.
pub fn page(traces: &[(String, String)], sources: &Path) -> Result<String, Bad> {
    build(traces, sources).map(|page| page.text)
}

/// The same, and which sources it does without.
///
/// Traces may come from anybody. What one says reaches the page as text and as nothing else: it is
/// read here, written anew, and kept in a block that no browser runs; the page's policy names its one
/// script by its hash, and forbids it to make markup of text. Of the files that a trace names only
/// regular ones below `sources` are read.
///
/// # Errors
///
/// Which trace cannot be read, and why.
pub fn build(traces: &[(String, String)], sources: &Path) -> Result<Page, Bad> {
    made(traces, sources, &[])
}

/// The page of one trace, with the captions of its first await; `None` if the trace has none that goes
/// all the way.
///
/// # Errors
///
/// Why the trace cannot be read.
pub fn guided(title: &str, trace: &str, sources: &Path) -> Result<Option<String>, Bad> {
    let Some(stops) = tour::of(&Trace::parse(trace).map_err(|bad| bad.of(title))?) else {
        return Ok(None);
    };
    let traces = [(title.to_owned(), trace.to_owned())];
    made(&traces, sources, &stops).map(|page| Some(page.text))
}

fn made(traces: &[(String, String)], sources: &Path, stops: &[tour::Stop]) -> Result<Page, Bad> {
    let mut wanted = Sources::default();
    let mut shown = Vec::new();
    for (title, text) in traces {
        let trace = Trace::parse(text).map_err(|bad| bad.of(title))?;
        for line in &trace.lines {
            wanted.want(&line.at);
            wanted.want(line.step.from());
        }
        let hits: Vec<Value> = lint::all(&trace)
            .iter()
            .map(|hit| json!({"lint": hit.lint, "event": hit.event, "text": hit.text}))
            .collect();
        shown.push(json!({
            "title": title,
            "header": trace.header,
            "lints": hits,
            "asleep": hang::asleep(&trace).iter().map(asleep).collect::<Vec<_>>(),
            "events": events(&trace),
        }));
    }
    let found = wanted.read(sources);
    let data = json!({ "traces": shown, "sources": found.lines, "tour": stops }).to_string();
    // A source line or a file name may hold "</script>".
    let data = data.replace('<', "\\u003c");
    let hash = |tag| format!("sha256-{}", base64(&sha256(inside(tag).as_bytes())));
    let text = TEMPLATE
        .replacen("'STYLE'", &format!("'{}'", hash("style")), 1)
        .replacen("'SCRIPT'", &format!("'{}'", hash("script")), 1)
        .replacen(PLACE, &data, 1);
    Ok(Page {
        text,
        left_out: found.left_out,
    })
}

fn asleep(task: &Asleep) -> Value {
    json!({ "event": task.event, "text": task.to_string() })
}

/// The events, each with the fields that this crate knows, and no others.
fn events(trace: &Trace) -> Vec<Value> {
    let timed = trace.is_timed();
    let mut events: Vec<Value> = trace.lines.iter().map(|line| json!(line)).collect();
    for event in events.iter_mut().filter(|_| !timed) {
        if let Value::Object(fields) = event {
            fields.remove("t");
            // As it was: that there is one, and not how long.
            if fields
                .get("timeout")
                .is_some_and(|timeout| timeout.as_u64() > Some(0))
            {
                fields.insert("timeout".into(), "some".into());
            }
        }
    }
    events
}

/// What stands inside an element of the template.
fn inside(tag: &str) -> &'static str {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let inside = TEMPLATE.split(&open).nth(1);
    inside
        .and_then(|rest| rest.split(&close).next())
        .unwrap_or_default()
}

/// The address of a page that was written to `file`, and where in it to begin: several traces are
/// there to be compared.
///
/// # Errors
///
/// The file cannot be found.
pub fn address(file: &Path, traces: usize) -> io::Result<String> {
    let place = if traces > 1 { "#compare" } else { "" };
    let path = file.canonicalize()?;
    let mut address = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => address.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => address.push(char::from(*byte)),
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(address + place)
}
