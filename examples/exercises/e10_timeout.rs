//! Exercise 10: give up a read without losing what has come.
//!
//! A peer sends messages of four bytes, and takes its time, also in the middle of one. Whoever
//! asks for the next message is patient for so long and then does something else. Later it asks
//! again.
//!
//! ```text
//! cargo run -p exercises -- check e10
//! ```

use std::io;
use std::time::Duration;

use executor::net::UnixStream;
use executor::time::timeout;
use exercises::e10::Patient;

/// Messages of four bytes.
pub struct Messages {
    stream: UnixStream,
}

impl Patient for Messages {
    fn new(stream: UnixStream) -> Messages {
        Messages { stream }
    }

    /// The next message, or `None` if it is not whole after so long.
    async fn next(&mut self, patience: Duration) -> io::Result<Option<[u8; 4]>> {
        // To be changed.
        let mut message = [0; 4];
        match timeout(patience, self.stream.read_exact(&mut message)).await {
            Err(_late) => Ok(None),
            Ok(read) => read.map(|()| Some(message)),
        }
    }
}
