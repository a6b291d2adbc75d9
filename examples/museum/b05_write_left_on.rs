//! Museum, b05: WRITE stays in the interest of a key when there is nothing left to write.
//!
//! ```text
//! REACTOR_TRACE=b05.trace cargo run --example b05_write_left_on
//! cargo run -p trace -- lint b05.trace
//! cargo run --example b05_write_left_on -- fixed
//! ```
//!
//! Symptom: the program works, and burns a whole CPU. A socket nearly always has room, so a select
//! that asks for WRITE returns at once. Lint: `spin`.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use examples::command_line::fixed;
use examples::console::all_said;
use examples::{say, told};
use selectors_core::{EVENT_READ, EVENT_WRITE, PollSelector};

fn main() -> io::Result<()> {
    let fixed = fixed();
    let (near, _far) = UnixStream::pair()?;
    let mut selector = PollSelector::new()?;
    told::begin("poll");
    (&near).write_all(b"all of it went out at once")?;
    told::watched(&near, EVENT_READ | EVENT_WRITE);
    let token = selector.register(near, EVENT_READ | EVENT_WRITE, ())?;
    if fixed {
        // The fix: interest follows those who wait.
        selector.modify(token, EVENT_READ)?;
        told::changed(token.fd(), Some(EVENT_READ));
    }
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
    }
    say!("{turns} turns of the loop in 50 ms, and nothing to do");
    all_said()
}
