//! The judge of exercise 4: a server on a selector that plays a script.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use selectors_core::{EVENT_READ, EVENT_WRITE, Error, Script, ScriptedSelector};

use crate::verdict::{demand, failed};
use crate::{Judged, Wrong};

/// Whom the server answered, and when on the script's clock.
type Answers = Vec<(char, Duration)>;

/// Lets the server run under this kernel.
///
/// # Errors
///
/// What it did instead of answering B a second before A.
pub fn judge(kernel: fn(&Script, RawFd, RawFd)) -> Judged {
    let (answers, waits_for) = serve(kernel).map_err(failed("the server"))?;
    let told: Vec<String> = answers
        .iter()
        .map(|(who, when)| format!("{who} at {} ms", when.as_millis()))
        .collect();
    let told = match told.is_empty() {
        true => "nobody".to_owned(),
        false => told.join(", "),
    };
    match answers[..] {
        [('B', b), ('A', a)] => demand(a == b + Duration::from_secs(1), || {
            format!(
                "the server answered {told}: the order is right, and between them should be 1000 ms"
            )
        }),
        [_, _, ..] => Err(Wrong::new(format!(
            "the server answered {told}. It does what the kernel tells it, in that order: who was \
             reported first?"
        ))),
        _ => Err(Wrong::new(format!(
            "the server answered {told}, and then the script was over while it waited for \
             {waits_for}. Nothing that is not in the script ever happens"
        ))),
    }
}

/// The answers, and what the server still waited for when the script was over.
fn serve(kernel: fn(&Script, RawFd, RawFd)) -> io::Result<(Answers, String)> {
    let script = Script::new();
    let mut selector = ScriptedSelector::play(script.clone());
    let mut clients = Vec::new();
    let mut fds = Vec::new();
    for name in ['A', 'B'] {
        let (mut client, server) = UnixStream::pair()?;
        client.write_all(b"a question")?;
        clients.push(client);
        fds.push(server.as_raw_fd());
        selector.register(server, EVENT_READ, name)?;
    }
    kernel(&script, fds[0], fds[1]);
    let (mut answers, mut ready) = (Vec::new(), Vec::new());
    loop {
        match selector.select(&mut ready, None) {
            Ok(_) => {}
            Err(Error::ScriptEnded) => break,
            Err(error) => return Err(error.into()),
        }
        for event in &ready {
            let Some(key) = selector.get_key(event.token) else {
                continue;
            };
            // What the server asks for next: after a question the answer, after that a question.
            let mut stream = &key.fileobj;
            let next = if event.readiness.is_readable() {
                let _question = stream.read(&mut [0; 64])?;
                EVENT_WRITE
            } else {
                stream.write_all(b"an answer")?;
                answers.push((key.data, script.elapsed()));
                EVENT_READ
            };
            selector.modify(event.token, next)?;
        }
        // Both have been answered; a third report would make the server read nothing for ever.
        if answers.len() == 2 {
            break;
        }
    }
    let map = selector.get_map();
    let waits: Vec<String> = map
        .iter()
        .map(|(_, key)| match key.events {
            events if events == Some(EVENT_WRITE) => format!("WRITE on {}", key.data),
            _ => format!("READ on {}", key.data),
        })
        .collect();
    Ok((answers, waits.join(" and ")))
}
