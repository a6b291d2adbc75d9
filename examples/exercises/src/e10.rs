//! The judge of exercise 10: a peer that stops in the middle of a message.

use std::future::Future;
use std::io;
use std::time::Duration;

use reactor::net::UnixStream;

use crate::verdict::{demand, failed};
use crate::{Judged, Wrong};

/// Reads messages of four bytes, and can be given up.
pub trait Patient {
    /// Of this stream.
    fn new(stream: UnixStream) -> Self;
    /// The next message, or `None` if it is not whole after so long.
    fn next(&mut self, patience: Duration) -> impl Future<Output = io::Result<Option<[u8; 4]>>>;
}

/// Nothing comes in this time, because nobody sends.
const SHORT: Duration = Duration::from_millis(5);
/// All that is awaited for so long has been sent.
const LONG: Duration = Duration::from_secs(30);

/// Sends messages in pieces.
///
/// # Errors
///
/// What came out of it.
pub fn judge<P: Patient>() -> Judged {
    let judged = executor::block_on(async {
        let (peer, stream) = UnixStream::pair()?;
        let mut messages = P::new(stream);
        let mut told = String::new();
        // What is sent, what is awaited after it, and what has to come of it.
        let steps: [(&str, Duration, Option<&[u8; 4]>); 5] = [
            ("", SHORT, None),
            ("ab", SHORT, None),
            ("cdef", LONG, Some(b"abcd")),
            ("", SHORT, None),
            ("ghijkl", LONG, Some(b"efgh")),
        ];
        for (sent, patience, right) in steps {
            peer.write_all(sent.as_bytes()).await?;
            if sent == "ghijkl" {
                // Whoever has lost bytes waits for more, and there will be none.
                peer.shutdown(std::net::Shutdown::Write)?;
            }
            let found = next(&mut messages, patience, &mut told, sent).await;
            if let Err(wrong) = found.and_then(|found| right_or(found, right, &told)) {
                return Ok(Err(wrong));
            }
        }
        let last = next(&mut messages, LONG, &mut told, "").await;
        Ok(last.and_then(|last| right_or(last, Some(b"ijkl"), &told)))
    });
    let judged: io::Result<Judged> = judged.and_then(|judged| judged);
    judged.map_err(failed("the sockets"))?
}

async fn next(
    messages: &mut impl Patient,
    patience: Duration,
    told: &mut String,
    sent: &str,
) -> Result<Option<[u8; 4]>, Wrong> {
    let found = messages.next(patience).await;
    let shown = match &found {
        Ok(Some(message)) => format!("\"{}\"", message.escape_ascii()),
        Ok(None) => "None".to_owned(),
        Err(error) => format!("the error \"{error}\""),
    };
    if !sent.is_empty() {
        told.push_str(&format!("    the peer sends \"{sent}\"\n"));
    }
    told.push_str(&format!("    next, patient for {patience:?}: {shown}\n"));
    found.map_err(|_| lost(told))
}

fn right_or(found: Option<[u8; 4]>, right: Option<&[u8; 4]>, told: &str) -> Judged {
    demand(found.as_ref() == right, || lost(told).to_string())
}

fn lost(told: &str) -> Wrong {
    Wrong::new(format!(
        "bytes are lost, or come in the wrong place:\n\n{told}\nThe stream is \"abcdefghijkl\", in \
         messages of four. A future that is dropped takes along what it holds: where were the \
         bytes of the half message when the patience was over?"
    ))
}
