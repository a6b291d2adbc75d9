//! The file of a bound socket, as a listener has it that may be one of TCP: nothing of Unix sockets is in
//! a program that has none.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A file that goes when this is dropped, with its socket.
pub(crate) type SocketFile = Box<dyn BoundFile>;

pub(crate) trait BoundFile: fmt::Debug + Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Leaves it where it is.
    fn keep(self: Box<Self>);
}
