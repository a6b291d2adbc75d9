//! Where no socket has a file.

/// The file of a bound Unix socket: there is none.
pub(crate) enum SocketFile {}

impl SocketFile {
    /// Leaves it there.
    pub(crate) fn keep(self) {
        match self {}
    }
}
