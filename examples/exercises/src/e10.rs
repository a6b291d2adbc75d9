//! The judge of exercise 10: a peer that stops in the middle of a message.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use executor::net::UnixStream;
use executor::time::sleep;
use executor::{Reactor, Runtime};
use selectors_core::{Readiness, Script};

use crate::verdict::{demand, failed, polling};
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
/// Who has been polled so often for a message that cannot come is in a loop.
const POLLS: u32 = 1_000;
/// All that is awaited for so long has been sent.
const LONG: Duration = Duration::from_secs(30);

/// Sends messages in pieces.
///
/// # Errors
///
/// What came out of it.
pub fn judge<P: Patient>() -> Judged {
    pieces::<P>()?;
    dribble::<P>()?;
    end_in_the_middle::<P>()
}

fn pieces<P: Patient>() -> Judged {
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

/// A byte every 30 ms, on a clock that waits for nobody: each comes in time for a patience of 50 ms,
/// and the message does not.
fn dribble<P: Patient>() -> Judged {
    let script = Script::new();
    let judged = Runtime::builder()
        .reactor(Reactor::builder().script(script.clone()))
        .build();
    let judged = judged.and_then(|runtime| {
        runtime.block_on(async {
            let (peer, stream) = UnixStream::pair()?;
            let fd = stream.as_fd().as_raw_fd();
            let mut messages = P::new(stream);
            let sender = executor::spawn(async move {
                for byte in b"abcd" {
                    sleep(Duration::from_millis(30)).await;
                    peer.write_all(&[*byte]).await?;
                    script.ready(&[(fd, Readiness::READABLE)]);
                }
                // Open until all of it has been read.
                io::Result::Ok(peer)
            });
            let hurried = watched(messages.next(Duration::from_millis(50))).await?;
            let patient = watched(messages.next(LONG)).await?;
            let sent = sender.await;
            let _peer = sent.map_err(|error| io::Error::other(error.to_string()))??;
            Ok((hurried, patient))
        })?
    });
    let (hurried, patient) = judged.map_err(failed("the sockets"))?;
    demand(hurried.is_none(), || {
        "a byte came every 30 ms, four of them, and `next` with a patience of 50 ms returned the \
         message, after 120. Each read was in time. For what is the caller patient?"
            .into()
    })?;
    demand(patient.as_ref() == Some(b"abcd"), || {
        format!(
            "a byte came every 30 ms; given up after 50 and asked again, `next` found {patient:?}"
        )
    })
}

/// A peer that is gone says so in every read from then on, at once: whoever goes on reading never
/// waits, and never comes to an end.
fn end_in_the_middle<P: Patient>() -> Judged {
    let judged = executor::block_on(async {
        let (peer, stream) = UnixStream::pair()?;
        let mut messages = P::new(stream);
        peer.write_all(b"ab").await?;
        drop(peer);
        let mut found = pin!(messages.next(LONG));
        let mut polls = 0;
        Ok(poll_fn(|cx| {
            polls += 1;
            match polling(|| found.as_mut().poll(cx)) {
                Poll::Pending if polls > POLLS => Poll::Ready(None),
                found => found.map(Some),
            }
        })
        .await)
    });
    let judged: io::Result<_> = judged.and_then(|judged| judged);
    let found = judged.map_err(failed("the sockets"))?;
    demand(matches!(found, Some(Err(_))), || match found {
        None => format!(
            "the peer sent \"ab\" and closed its end, and after {POLLS} polls `next` still reads. A \
             read that returns 0 is the end, and is so every time, at once: this loop never sleeps"
        ),
        Some(found) => format!(
            "the peer sent \"ab\" and closed its end, and `next` says {found:?}: the rest of the \
             message will never come, and whoever asks has to hear that as an error"
        ),
    })
}

async fn next(
    messages: &mut impl Patient,
    patience: Duration,
    told: &mut String,
    sent: &str,
) -> Result<Option<[u8; 4]>, Wrong> {
    let found = watched(messages.next(patience)).await;
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

/// The same future; while it is polled, that is known.
async fn watched<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| polling(|| future.as_mut().poll(cx))).await
}
