//! Museum, b02: the key is armed before the waker is stored, with an edge between the two.
//!
//! ```text
//! REACTOR_TRACE=b02.trace cargo run --example b02_armed_first
//! cargo run -p trace -- lint b02.trace
//! cargo run --example b02_armed_first -- fixed
//! ```
//!
//! Symptom: works nearly always; now and then a task hangs for ever. The kernel reports a change
//! once, and that report found nobody. Lint: `stored-too-late`.

use std::cell::Cell;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use examples::command_line::fixed;
use examples::console::all_said;
use examples::{say, told};
use selectors_core::{EVENT_READ, EpollSelector, Mode};

fn main() -> io::Result<()> {
    let fixed = fixed();
    let (mut near, far) = UnixStream::pair()?;
    let mut selector = EpollSelector::new()?;
    told::begin_with("epoll", "edge");
    // Whether somebody waits: the place of the waker.
    let waits = Rc::new(Cell::new(false));
    let store = || {
        told::waits(&far, EVENT_READ);
        waits.set(true);
    };
    if fixed {
        // The fix: store first. An edge that comes in between finds the waker.
        store();
    }
    told::watched(&far, EVENT_READ);
    selector.register_with(&far, EVENT_READ, Mode::Edge, Rc::clone(&waits))?;

    // In between, the bytes come, and somebody lets the reactor turn.
    near.write_all(b"hello")?;
    let mut woken = turn(&mut selector, Some(Duration::ZERO))?;
    if !fixed {
        store();
        woken += turn(&mut selector, Some(Duration::from_millis(50)))?;
    }
    match woken {
        0 => say!("the task hangs: its bytes are there, and the one report of them is gone"),
        _ => say!("the task was woken"),
    }
    all_said()
}

/// Asks the kernel, and wakes those who wait; says how many there were.
fn turn(
    selector: &mut EpollSelector<&UnixStream, Rc<Cell<bool>>>,
    timeout: Option<Duration>,
) -> io::Result<usize> {
    let mut ready = Vec::new();
    told::asleep(selector.get_map().len(), timeout);
    selector.select(&mut ready, timeout)?;
    told::ready(&ready);
    let waiting = ready
        .iter()
        .filter_map(|event| selector.get_key(event.token));
    Ok(waiting.filter(|key| key.data.take()).count())
}
