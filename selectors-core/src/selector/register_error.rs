//! The error of register, which gives back what was handed in.

use std::error;
use std::fmt;
use std::io;

use crate::Error;

/// A register that failed: the reason, and everything that the call was given.
///
/// Dropping the file object would close it, which a failed call has no business to do.
#[non_exhaustive]
pub struct RegisterError<F, D> {
    /// Why.
    pub error: Error,
    /// The file object, as it was handed in.
    pub fileobj: F,
    /// The data, as it was handed in.
    pub data: D,
}

impl<F, D> fmt::Debug for RegisterError<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<F, D> fmt::Display for RegisterError<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<F, D> error::Error for RegisterError<F, D> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        error::Error::source(&self.error)
    }
}

impl<F, D> From<RegisterError<F, D>> for Error {
    fn from(failed: RegisterError<F, D>) -> Error {
        failed.error
    }
}

impl<F, D> From<RegisterError<F, D>> for io::Error {
    fn from(failed: RegisterError<F, D>) -> io::Error {
        failed.error.into()
    }
}
