//! The thread that writes what the program has no time for.
//!
//! A program that never sleeps, or that never comes back from a poll, would be killed with its last
//! records unwritten: those that say why. So they are written for it when they have waited long
//! enough. The thread takes no signals, and without it (a process may have no more threads) the
//! records are written by the program alone.

use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::recording::{Recording, lock};

/// How long records may wait.
const PERIOD: Duration = Duration::from_millis(100);

/// Starts it; it ends with the recording.
pub(super) fn start(recording: &Arc<Mutex<Recording>>) -> Option<JoinHandle<()>> {
    let recording = Arc::clone(recording);
    let thread = thread::Builder::new()
        .name("trace".into())
        .stack_size(128 << 10)
        .spawn(move || {
            // If it cannot be, then the program may see a signal here and not there: no reason to
            // fail.
            #[cfg(not(windows))]
            let _ = selectors_core::sys::signal::pthread_sigmask_block_all();
            while !lock(&recording).is_over() {
                thread::park_timeout(PERIOD);
                lock(&recording).write_late();
            }
        });
    thread.ok()
}
