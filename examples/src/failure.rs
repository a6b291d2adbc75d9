//! How a program ends: well, badly, or because it was asked for something that cannot be.

use std::fmt;
use std::io;
use std::process::ExitCode;

use trace::complain;

/// Why a program stops. Each prints one line on standard error.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The command line asks for something that is not valid here. Exit status 2.
    BadInput(String),
    /// It went wrong on the way. Exit status 1.
    Failed(String),
}

impl Failure {
    /// Bad input, in words.
    pub fn bad_input(text: impl fmt::Display) -> Failure {
        Failure::BadInput(text.to_string())
    }

    /// A failure on the way, in words.
    pub fn failed(text: impl fmt::Display) -> Failure {
        Failure::Failed(text.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::BadInput(text) | Failure::Failed(text)) = self;
        f.write_str(text)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::failed(error)
    }
}

/// Prints what went wrong, if anything did, and turns it into the exit status.
pub fn exit<E: Into<Failure>>(result: Result<(), E>) -> ExitCode {
    let Err(failure) = result.map_err(Into::into) else {
        return ExitCode::SUCCESS;
    };
    // Where nobody hears it, the status still says it.
    complain!("error: {failure}");
    match failure {
        Failure::BadInput(_) => ExitCode::from(2),
        Failure::Failed(_) => ExitCode::from(1),
    }
}
