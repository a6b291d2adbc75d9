//! Recorded programs, in several forms: as pages to step through, the viewer of the trace tool with the trace in
//! it; as lines of text, the first of them and all of them; and, for the museum, in the words of the
//! lints.

use std::fs;
use std::io;

use trace::{Trace, lint, say};

use crate::listing::listing;
use crate::recording::Programs;
use crate::table::{self, LOOPS, STEPS, museum, number, root};

/// Lines of a listing: what fits on a screen.
const SCREEN: usize = 40;
/// How many milliseconds step 11 waits for a word: longer than a busy machine takes to record it.
const PATIENCE: &str = "3000";
/// The folder of all of it, made anew for each build of the book.
pub const FOLDER: &str = "timelines";

/// Which pages there are: every step from the third on, and every piece of the museum.
///
/// # Errors
///
/// Why the museum cannot be read.
pub fn names() -> io::Result<Vec<String>> {
    let steps = STEPS.iter().skip(2).map(|name| (*name).to_owned());
    Ok(steps.chain(museum()?).collect())
}

/// Runs and records everything, and writes the pages.
///
/// # Errors
///
/// What cannot be run, recorded or written.
pub fn write() -> io::Result<()> {
    say!("book: building the programs");
    let programs = Programs::build()?;
    let folder = table::pages().join(FOLDER);
    fs::create_dir_all(&folder)?;
    say!("book: recording one await");
    programs.one_await(&folder.join("await.html"))?;
    for name in names()? {
        say!("book: recording {name}");
        let traces = record(&programs, &name)?;
        let page = trace::html::page(&traces, &root());
        let page = page.map_err(|bad| io::Error::other(format!("{name}: {bad}")))?;
        fs::write(folder.join(format!("{}.html", number(&name))), page)?;
        let text = listing(&traces[0].1, SCREEN).map_err(io::Error::other)?;
        fs::write(folder.join(format!("{}.txt", number(&name))), text)?;
        let whole = listing(&traces[0].1, usize::MAX).map_err(io::Error::other)?;
        fs::write(folder.join(format!("{}.run", number(&name))), whole)?;
        if name.starts_with('b') {
            let words = findings(&traces[0].1).map_err(io::Error::other)?;
            fs::write(folder.join(format!("{}.lint", number(&name))), words)?;
        }
    }
    for name in LOOPS {
        say!("book: reading the log of {name}");
        let trace = foreign(name)?;
        let traces = [(name.to_owned(), trace)];
        let page = trace::html::page(&traces, &root());
        let page = page.map_err(|bad| io::Error::other(format!("{name}: {bad}")))?;
        fs::write(folder.join(format!("{name}.html")), page)?;
    }
    say!("book: recording a ring");
    fs::write(folder.join("ring.html"), ring(&programs)?)
}

/// The same program on epoll and on a ring, as far as they are to be had; else on poll.
fn ring(programs: &Programs) -> io::Result<String> {
    let run = |backend: &str| {
        let trace = programs.step("s06_backends", &[backend])?;
        Ok((format!("s06_backends on {backend}"), trace))
    };
    let both = ["epoll", "uring"].into_iter().map(run);
    let mut traces: Vec<_> = both.filter_map(io::Result::ok).collect();
    if traces.is_empty() {
        traces.push(run("poll")?);
    }
    let page = trace::html::page(&traces, &root());
    page.map_err(|bad| io::Error::other(format!("ring: {bad}")))
}

/// The trace of a loop that is not ours, from its log.
///
/// # Errors
///
/// There is no such log, or nobody waits in it.
pub fn foreign(name: &str) -> io::Result<String> {
    let log = fs::read_to_string(table::log(name))?;
    let loops = trace::strace::read(&log).map_err(io::Error::other)?;
    Ok(loops[0].trace.text())
}

/// What the lints say of a trace, as a quotation.
///
/// # Errors
///
/// What is no trace.
fn findings(trace: &str) -> Result<String, trace::Bad> {
    let hits = lint::all(&Trace::parse(trace)?);
    let words = hits
        .iter()
        .map(|hit| format!("> `{}` at event {}: {}\n", hit.lint, hit.event, hit.text));
    Ok(words.collect())
}

/// Pairs of a title and a trace: one of them, but three where backends are compared.
fn record(programs: &Programs, name: &str) -> io::Result<Vec<(String, String)>> {
    if name.starts_with('b') {
        return Ok(vec![(name.to_owned(), programs.piece(name)?)]);
    }
    if name == "s11_cancel" {
        return Ok(vec![(name.to_owned(), programs.step(name, &[PATIENCE])?)]);
    }
    if name != "s06_backends" {
        return Ok(vec![(name.to_owned(), programs.step(name, &[])?)]);
    }
    let here = ["select", "poll", "epoll"];
    let here = here.into_iter().filter(|backend| selectors(backend));
    here.map(|backend| {
        Ok((
            format!("{name} on {backend}"),
            programs.step(name, &[backend])?,
        ))
    })
    .collect()
}

/// Whether this system has the backend.
fn selectors(backend: &str) -> bool {
    backend != "epoll" || cfg!(target_os = "linux")
}
