//! Wakes a selector that waits, from any thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::{Error, sys};

/// A flag with an fd: [`notify`](Notifier::notify) makes it readable, [`clear`](Notifier::clear)
/// takes that back. Register it for READ; in edge mode it need never be cleared.
///
/// An eventfd on Linux, a pipe elsewhere.
///
/// ```
/// use selectors_core::{DefaultSelector, EVENT_READ, Notifier};
/// use std::sync::Arc;
///
/// let notifier = Arc::new(Notifier::new()?);
/// let mut selector = DefaultSelector::new()?;
/// selector.register(Arc::clone(&notifier), EVENT_READ, ())?;
///
/// std::thread::spawn(move || notifier.notify());
/// let mut ready = Vec::new();
/// selector.select(&mut ready, None)?;
/// assert_eq!(ready.len(), 1);
/// # Ok::<(), selectors_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Notifier {
    /// What a selector watches: the eventfd, or the read end of the pipe.
    watched: OwnedFd,
    /// The write end of the pipe.
    #[cfg(not(eventfd))]
    writer: OwnedFd,
}

impl Notifier {
    /// A new notifier, not notified.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyFiles`](crate::Refusal::TooManyFiles) at the limit of open files.
    pub fn new() -> Result<Notifier, Error> {
        #[cfg(eventfd)]
        let made = sys::eventfd::eventfd().map(|watched| Notifier { watched });
        #[cfg(not(eventfd))]
        let made = sys::pipe::pipe().map(|(watched, writer)| Notifier { watched, writer });
        made.map_err(|error| Error::os("notifier", None, error))
    }

    /// Makes the fd readable. May be called from any thread, any number of times.
    ///
    /// # Errors
    ///
    /// What write(2) says; that the counter or the pipe is full is no error, because then the fd
    /// is readable already.
    pub fn notify(&self) -> Result<(), Error> {
        loop {
            match sys::fd::write(self.writer(), &1u64.to_ne_bytes()) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("notify", None, error)),
            }
        }
    }

    /// Takes all notifications back; says whether there was one.
    ///
    /// # Errors
    ///
    /// What read(2) says.
    pub fn clear(&self) -> Result<bool, Error> {
        let mut buffer = [0; 64];
        let mut notified = false;
        loop {
            match sys::fd::read(self.watched.as_fd(), &mut buffer) {
                // An eventfd gives everything in eight bytes; a pipe may hold more than fits.
                Ok(n) if n == buffer.len() => notified = true,
                Ok(n) => return Ok(notified || n > 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(notified),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::os("clear", None, error)),
            }
        }
    }

    #[cfg(eventfd)]
    fn writer(&self) -> BorrowedFd<'_> {
        self.watched.as_fd()
    }

    #[cfg(not(eventfd))]
    fn writer(&self) -> BorrowedFd<'_> {
        self.writer.as_fd()
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watched.as_fd()
    }
}
