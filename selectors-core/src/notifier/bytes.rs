//! What notifiers of bytes make of an answer, whatever the bytes go through.

use std::io;

use crate::Error;

/// What came of writing a notification. If there is no room, the other end is readable already.
pub(super) fn written(done: io::Result<usize>) -> Result<(), Error> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
            Err(Error::os("write notification", None, error))
        }
        _ => Ok(()),
    }
}

/// Reads until nothing is left; was there anything?
pub(super) fn drained(mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Result<bool, Error> {
    let mut buffer = [0; 256];
    let mut notified = false;
    loop {
        match read(&mut buffer) {
            Ok(n) if n == buffer.len() => notified = true,
            // An eventfd gives its whole counter at once.
            Ok(n) => return Ok(notified || n > 0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(notified),
            Err(error) => return Err(Error::os("read notification", None, error)),
        }
    }
}
