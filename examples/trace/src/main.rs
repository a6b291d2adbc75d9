//! `trace`: looks at traces of the reactor.
//!
//! ```text
//! REACTOR_TRACE=echo.trace cargo run --example echo -- --demo --selector epoll
//! cargo run -p trace -- html echo.trace          # writes echo.trace.html, and says what to open
//! cargo run -p trace -- html A B                 # one page that compares both
//! cargo run -p trace -- lint echo.trace         # what is suspicious, and who sleeps at the end
//! cargo run -p trace -- chrome echo.trace        # for ui.perfetto.dev and chrome://tracing
//! strace -f -ttt -T -yy -o LOG PROGRAM          # of any event loop
//! cargo run -p trace -- strace LOG              # the same page of it
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use trace::{Trace, chrome, complain, console, hang, html, lint, plain, say, strace};

/// Looks at traces of the reactor. To record one, run any program on it with REACTOR_TRACE=FILE.
#[derive(Parser)]
#[command(name = "trace", version)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write a page that shows the trace, or compares several
    Html {
        /// Traces
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Where to write it; without this, beside the first trace
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// The folder that source paths begin in
        #[arg(long, default_value = ".")]
        sources: PathBuf,
    },
    /// Say what is suspicious; the status is 1 if anything is
    Lint {
        /// Traces
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Show what `strace -f -ttt -T -yy -o LOG` wrote of any event loop
    Strace {
        /// What strace wrote
        log: PathBuf,
        /// Where to write the page; without this, beside the log
        #[arg(long, short)]
        output: Option<PathBuf>,
        /// How many threads that wait are shown: those that wait most often
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
        loops: u32,
    },
    /// Convert to the trace format of Chrome and Perfetto
    Chrome {
        /// A trace
        file: PathBuf,
        /// Where to write it; without this, beside the trace
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
}

/// Sources that are left out are named up to here; a trace may name as many as it likes.
const LEFT_OUT: usize = 10;

/// So are tasks that sleep.
const SLEEPERS: usize = 20;

/// A file's name.
fn name(file: &Path) -> String {
    plain(&file.to_string_lossy())
}

fn main() -> ExitCode {
    let ended = run(Args::parse().what);
    // Its lines are its result; 1 is the status of a lint that has hit.
    match ended.and_then(|status| {
        console::all_said()
            .map(|()| status)
            .map_err(|lost| lost.to_string())
    }) {
        Ok(status) => status,
        Err(error) => {
            complain!("trace: {}", plain(&error));
            ExitCode::from(2)
        }
    }
}

fn run(what: What) -> Result<ExitCode, String> {
    match what {
        What::Html {
            files,
            output,
            sources,
        } => {
            let mut traces = Vec::new();
            for file in &files {
                traces.push((file.display().to_string(), read(file)?));
            }
            let page = html::build(&traces, &sources).map_err(|bad| bad.to_string())?;
            let output = output.unwrap_or_else(|| beside(&files[0], "html"));
            write(&output, &page.text, &files)?;
            let address = html::address(&output, traces.len());
            let address = address.map_err(|error| format!("{}: {error}", name(&output)))?;
            for (file, reason) in page.left_out.iter().take(LEFT_OUT) {
                say!("trace: left out {file:?}: {reason}");
            }
            if let Some(more) = page
                .left_out
                .len()
                .checked_sub(LEFT_OUT)
                .filter(|more| *more > 0)
            {
                say!("trace: left out {more} more");
            }
            say!("trace: open {address}");
            say!("trace: then press the right arrow; ? lists the other keys");
        }
        What::Lint { files } => {
            let mut status = ExitCode::SUCCESS;
            for file in &files {
                let trace = parse(file)?;
                let hits = lint::all(&trace);
                say!(
                    "{}: {} events, {} lint hits",
                    name(file),
                    trace.lines.len(),
                    hits.len()
                );
                if let Some(limit) = trace.limit() {
                    say!("  the trace ends at its limit of {limit} bytes; the program went on");
                }
                for hit in &hits {
                    say!("  {hit}");
                    status = ExitCode::from(1);
                }
                say_asleep(&trace);
            }
            return Ok(status);
        }
        What::Strace { log, output, loops } => {
            // The name of a file may be of any bytes, and not every strace escapes them.
            let found = strace::read(&String::from_utf8_lossy(&bytes(&log)?));
            let found = found.map_err(|bad| format!("{}: {bad}", name(&log)))?;
            let stem = plain(&log.file_stem().unwrap_or_default().to_string_lossy());
            let mut traces = Vec::new();
            for found in found.iter().take(loops as usize) {
                let title = format!("{stem} {}", found.thread);
                let hits = lint::all(&found.trace);
                say!(
                    "{title}: {} waits, {} events, {} lint hits",
                    found.waits,
                    found.trace.lines.len(),
                    hits.len()
                );
                for hit in &hits {
                    say!("  {hit}");
                }
                traces.push((title, found.trace.text()));
            }
            let page = html::build(&traces, Path::new(".")).map_err(|bad| bad.to_string())?;
            let output = output.unwrap_or_else(|| beside(&log, "html"));
            write(&output, &page.text, &[log])?;
            let address = html::address(&output, 1);
            let address = address.map_err(|error| format!("{}: {error}", name(&output)))?;
            say!("trace: open {address}");
        }
        What::Chrome { file, output } => {
            let text = chrome::export(&parse(&file)?);
            let output = output.unwrap_or_else(|| beside(&file, "json"));
            write(&output, &text, &[file])?;
            say!("{}", name(&output));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Why does it hang?
fn say_asleep(trace: &Trace) {
    let asleep = hang::asleep(trace);
    if !asleep.is_empty() {
        say!("  when the trace ends:");
    }
    for task in asleep.iter().take(SLEEPERS) {
        say!("    {}", plain(&task.to_string()));
    }
    if let Some(more) = asleep.len().checked_sub(SLEEPERS).filter(|more| *more > 0) {
        say!("    and {more} more");
    }
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", name(file)))
}

fn read(file: &Path) -> Result<String, String> {
    trace::text(bytes(file)?).map_err(|bad| format!("{}: {bad}", name(file)))
}

fn parse(file: &Path) -> Result<Trace, String> {
    Trace::parse(&read(file)?).map_err(|bad| format!("{}: {bad}", name(file)))
}

/// Writes what was made of files that were `read`, and not over one of them.
fn write(file: &Path, text: &str, read: &[PathBuf]) -> Result<(), String> {
    if read
        .iter()
        .any(|read| same_file::is_same_file(read, file).unwrap_or(false))
    {
        return Err(format!(
            "{}: this was read, and would be lost; write to another file",
            name(file)
        ));
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", name(file)))
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}
