//! select fails as a whole for one number that is closed, and does not say which.

use std::io;
use std::time::Duration;

use crate::Error;
use crate::os::errno;

/// A kernel half with such a call.
pub(super) trait Spoilt {
    /// One call, which says how much it has found.
    fn ask(&mut self, timeout: Option<Duration>) -> io::Result<usize>;

    /// Collects an event for every watched number that is closed, once.
    fn find_closed(&mut self);

    /// Whether events have been collected.
    fn has_events(&self) -> bool;

    /// One call that numbers which are closed do not spoil: they are reported, and the others looked at.
    fn ask_around_closed(&mut self, timeout: Option<Duration>) -> Result<usize, Error> {
        let asked = match self.ask(timeout) {
            Err(error) if error.raw_os_error() == Some(errno::EBADF) => {
                self.find_closed();
                // The others were not looked at; now they can be, and nobody need wait for it. If
                // that fails, what was found is reported all the same: it is found only once.
                match self.ask(Some(Duration::ZERO)) {
                    Err(_) if self.has_events() => Ok(0),
                    asked => asked,
                }
            }
            asked => asked,
        };
        asked.map_err(|error| Error::os("select", None, error))
    }
}
