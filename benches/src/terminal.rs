//! What the programs say, and whether it could be written: nothing else here prints. A terminal that is
//! gone or a disk that is full costs no measurement; the exit code tells what was not written.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The exit code when something could not be written: `EX_IOERR` of `sysexits.h`, as 64 is `EX_USAGE`.
const UNWRITTEN: u8 = 74;

static FAILED: AtomicBool = AtomicBool::new(false);
/// Whether standard output has refused something: what came after it would have a gap before it.
static SILENT: AtomicBool = AtomicBool::new(false);

/// A line of what was asked for.
pub fn say(words: impl Display) {
    let mut out = io::stdout().lock();
    let mut said = || writeln!(out, "{words}").and_then(|()| out.flush());
    if !SILENT.load(Relaxed) && !wrote("standard output", said()) {
        SILENT.store(true, Relaxed);
    }
}

/// A line beside that: how far it is, and what is wrong.
pub fn tell(words: impl Display) {
    wrote("standard error", writeln!(io::stderr(), "{words}"));
}

/// Whether something was written; if not, says so. Who closes a pipe has read enough: that is no failure.
pub fn wrote(what: impl Display, result: io::Result<()>) -> bool {
    if let Err(error) = result.as_ref()
        && error.kind() != ErrorKind::BrokenPipe
    {
        FAILED.store(true, Relaxed);
        let _ = writeln!(io::stderr(), "{what} cannot be written: {error}");
    }
    result.is_ok()
}

/// What the command line is answered without a run: help and version, or that it is wrong.
pub fn answered(answer: &clap::Error, wrong: u8) -> ExitCode {
    wrote("the help", answer.print());
    ended(if answer.use_stderr() { wrong } else { 0 })
}

pub fn ended(code: u8) -> ExitCode {
    ExitCode::from(if FAILED.load(Relaxed) { UNWRITTEN } else { code })
}
