//! See the loop turn: runs a small program on the runtime, records it, and writes a page that
//! shows every step.
//!
//! ```text
//! cargo run --example see                                         # one await, from call to wake
//! cargo run --example see -- echo                                 # two clients and their servers
//! cargo run --example see -- echo --backend select,poll,epoll     # side by side
//! ```
//!
//! The page needs no network and no server: open it in any browser, and press the right arrow.

mod programs;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::Parser;
use executor::Runtime;
use executor::reactor::trace::Recorder;
use executor::{Reactor, Trigger};
use selectors_core::Backend;
use trace::{complain, console, say};

use crate::programs::Program;

/// Runs a small program on the runtime and writes a page that shows every step of it.
#[derive(Parser)]
#[command(name = "see", version)]
struct Args {
    /// What to run
    #[arg(value_enum, default_value = "await")]
    program: Program,
    /// What to wait with: one or several of select, poll, epoll, uring (where this build and the
    /// kernel have it); without this the best one
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    backend: Vec<Backend>,
    /// Where to write the page; without this, beside the executable
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("see: {error}");
            ExitCode::from(1)
        }
    }
}

fn run(args: Args) -> io::Result<()> {
    let name = args.program.name();
    let mut backends: Vec<Option<Backend>> = args.backend.into_iter().map(Some).collect();
    if backends.is_empty() {
        backends.push(None);
    }
    let traces = backends
        .iter()
        .map(|backend| record(args.program, *backend))
        .collect::<io::Result<Vec<_>>>()?;
    // The page quotes the lines of the sources that did it.
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = match (args.program, &traces[..]) {
        (Program::Await, [(title, trace)]) => guided(title, trace.clone(), backends[0], &sources)?,
        _ => trace::html::page(&traces, &sources).map_err(io::Error::other)?,
    };
    let output = match args.output {
        Some(output) => output,
        None => beside_executable(&format!("see-{name}.html"))?,
    };
    let failed = |error| io::Error::other(format!("{}: {error}", output.display()));
    fs::write(&output, &page).map_err(failed)?;
    let address = trace::html::address(&output, traces.len()).map_err(failed)?;
    say!("see: {} lines of trace, {name}", lines(&traces));
    say!("see: open {address}");
    say!(
        "see: then press the {} arrow; ? lists the other keys",
        if page.contains("\"station\"") {
            "down"
        } else {
            "right"
        }
    );
    console::all_said()
}

/// The page with its captions. On a busy machine the bytes may be there before the read: then the program
/// is recorded anew.
fn guided(
    title: &str,
    mut trace: String,
    backend: Option<Backend>,
    sources: &Path,
) -> io::Result<String> {
    for _ in 0..20 {
        if let Some(page) = trace::html::guided(title, &trace, sources).map_err(io::Error::other)? {
            return Ok(page);
        }
        trace = record(Program::Await, backend)?.1;
    }
    let busy = "in each of 20 runs the bytes were there before the read: try it when the machine is less busy";
    Err(io::Error::other(busy))
}

/// Runs the program once; the answer is a title and a trace.
fn record(program: Program, backend: Option<Backend>) -> io::Result<(String, String)> {
    let builder = Runtime::builder();
    let builder = match backend {
        Some(backend) => builder.reactor(Reactor::builder().backend(backend)),
        None => builder,
    };
    let runtime = builder.build()?;
    let text = Text::default();
    let recorder = recorder(runtime.reactor(), text.clone());
    runtime.reactor().observe(Some(Rc::new(recorder)));
    runtime.block_on(program.run())??;
    let title = format!("{} on {}", program.name(), runtime.backend());
    // The recorder writes its last lines when it goes.
    drop(runtime);
    let bytes = mem::take(&mut *lock(&text.0));
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    Ok((title, text))
}

fn recorder(reactor: &Reactor, out: Text) -> Recorder {
    let trigger = match reactor.trigger() {
        Trigger::Edge => "edge",
        _ => "level",
    };
    Recorder::new(out, reactor.backend().name(), trigger)
}

/// What the recorder writes to.
#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines(traces: &[(String, String)]) -> usize {
    traces.iter().map(|(_, text)| text.lines().count()).sum()
}

fn beside_executable(name: &str) -> io::Result<PathBuf> {
    let mut path = env::current_exe()?;
    path.set_file_name(name);
    Ok(path)
}

fn lock(text: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}
