//! Whether a process sleeps, and how often it woke up: by the scheduler's account of each thread.

use std::fs::{read_dir, read_to_string};
use std::time::{Duration, Instant};

use super::quiet::number_after;

/// Two looks of a process that is asleep lie this far apart.
const PAUSE: Duration = Duration::from_millis(20);

/// One look at all threads of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    pub asleep: bool,
    /// How often its threads have given their CPU away to wait: once for each time that one woke
    /// up, for it goes to sleep again.
    pub waits: u64,
}

impl Look {
    pub fn at(pid: u32) -> Result<Self, String> {
        let path = format!("/proc/{pid}/task");
        let threads = read_dir(&path).map_err(|error| format!("{path}: {error}"))?;
        let mut look = Self { asleep: true, waits: 0 };
        for thread in threads.flatten() {
            // A thread that ends between the two lines needs no look.
            let text = read_to_string(thread.path().join("status")).unwrap_or_default();
            look.asleep &= text.is_empty() || text.contains("\nState:\tS");
            look.waits += number_after(&text, "voluntary_ctxt_switches:").unwrap_or(0.0) as u64;
        }
        Ok(look)
    }

    /// Waits until the process sleeps and stays asleep from one look to the next, but no longer
    /// than `patience`: something with a clock of its own never settles. The last look.
    pub fn settled(pid: u32, patience: Duration) -> Result<Self, String> {
        let begin = Instant::now();
        let mut last = Self::at(pid)?;
        loop {
            std::thread::sleep(PAUSE);
            let now = Self::at(pid)?;
            if (now.asleep && now == last) || begin.elapsed() >= patience {
                return Ok(now);
            }
            last = now;
        }
    }
}
