//! Museum, b06: the peer has gone, and nobody handles the end of the stream.
//!
//! ```text
//! REACTOR_TRACE=b06.trace cargo run --example b06_end_ignored
//! cargo run -p trace -- lint b06.trace
//! cargo run --example b06_end_ignored -- fixed
//! ```
//!
//! Symptom: 100 % CPU after the first client leaves. The end of a stream is readable for ever:
//! each read answers 0, at once. Lint: `spin`.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use examples::command_line::fixed;
use examples::console::all_said;
use examples::{say, told};
use selectors_core::{EVENT_READ, PollSelector};

fn main() -> io::Result<()> {
    let fixed = fixed();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (stream, _from) = listener.accept()?;
    let mut selector = PollSelector::new()?;
    told::begin("poll");
    told::watched(&stream, EVENT_READ);
    selector.register(stream, EVENT_READ, ())?;
    drop(client);

    let (mut ready, mut turns) = (Vec::new(), 0);
    let end = Instant::now() + Duration::from_millis(50);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        told::asleep(selector.get_map().len(), Some(left));
        selector.select(&mut ready, Some(left))?;
        told::ready(&ready);
        turns += 1;
        // A machine that is busy with others shows some turns, too.
        if ready.is_empty() || left.is_zero() && turns >= 10 {
            break;
        }
        for event in &ready {
            let Some(key) = selector.get_key(event.token) else {
                continue;
            };
            let length = told::read(&key.fileobj, &mut [0; 64])?;
            if length == 0 && fixed {
                // The fix: 0 bytes mean that no more will come. The key has to go.
                told::forgotten(event.token.fd());
                drop(selector.unregister(event.token)?);
            }
        }
    }
    say!("{turns} turns of the loop in 50 ms, and nothing to do");
    all_said()
}
