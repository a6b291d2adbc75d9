//! The names of system calls, for traces.

use std::fmt;
use std::panic::Location;

use selectors_core::sys::acts::{Accept, Act, Connect, Recv, Recvmsg, Send};

/// A system call that an I/O type makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Call {
    /// Whatever the closure of [`Async::read_with`](crate::Async::read_with) or its like does.
    #[default]
    Custom,
    /// accept(2)
    Accept,
    /// connect(2)
    Connect,
    /// recv(2)
    Recv,
    /// recvmsg(2)
    Recvmsg,
    /// send(2)
    Send,
}

impl Call {
    /// The name, as strace prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Call::Custom => "custom",
            Call::Accept => "accept",
            Call::Connect => "connect",
            Call::Recv => "recv",
            Call::Recvmsg => "recvmsg",
            Call::Send => "send",
        }
    }

    /// The line that makes it, if it is one of ours.
    pub(crate) fn place(self) -> Option<&'static Location<'static>> {
        match self {
            Call::Custom => None,
            Call::Accept => Some(Accept::AT),
            Call::Connect => Some(Connect::AT),
            Call::Recv => Some(Recv::AT),
            Call::Recvmsg => Some(Recvmsg::AT),
            Call::Send => Some(Send::AT),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
