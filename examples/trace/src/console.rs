//! Printing that survives a reader who has seen enough, and tells of a disk that is full.
//!
//! A server goes on whoever looks. A program whose lines are its result ends with [`all_said`]: a
//! reader who has gone, as `head` does, has what it wanted; any other line that could not be written
//! is missing.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// Why the first line that is missing could not be written.
static MISSING: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line to standard output, like `println!`, but without a panic where that cannot be
/// done: [`all_said`] tells of it.
///
/// [`all_said`]: crate::console::all_said
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { $crate::console::print(::std::format_args!($($text)*)) };
}

/// Prints a line to standard error, like `eprintln!`, but without a panic where that cannot be done:
/// there is nobody left to be told.
#[macro_export]
macro_rules! complain {
    ($($text:tt)*) => { $crate::console::complain(::std::format_args!($($text)*)) };
}

/// What [`say!`](crate::say) does.
pub fn print(line: fmt::Arguments<'_>) {
    let written = writeln!(io::stdout(), "{line}");
    let is_missing = |error: &io::Error| error.kind() != ErrorKind::BrokenPipe;
    if let Some(error) = written.err().filter(is_missing) {
        let mut missing = MISSING.lock().unwrap_or_else(PoisonError::into_inner);
        missing.get_or_insert(error);
    }
}

/// What [`complain!`](crate::complain) does.
pub fn complain(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether all lines were written, or nobody wanted to read more of them.
///
/// # Errors
///
/// Why the first that is missing could not be written; asked again, none.
pub fn all_said() -> io::Result<()> {
    let missing = MISSING
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    missing.map_or(Ok(()), |error| {
        let text = format!("standard output: {error}");
        Err(io::Error::new(error.kind(), text))
    })
}
