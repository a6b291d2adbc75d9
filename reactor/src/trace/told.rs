//! What is told to the person who asked for a trace.

use std::fmt;
use std::io::{self, Write};

/// The variable that names the file.
pub(super) const VARIABLE: &str = "REACTOR_TRACE";

/// A line on stderr, if there is one: a program is not to fail because somebody watches it.
pub(super) fn say(what: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{VARIABLE}: {what}");
}
