//! Whether a process sleeps, and how often it woke up: by the scheduler's account of each thread.

use std::fs::{read_dir, read_to_string};
use std::time::{Duration, Instant};

use super::quiet::number_after;

/// Two looks of a process that is asleep lie this far apart.
const PAUSE: Duration = Duration::from_millis(20);

/// One look at all threads of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Whether every thread sleeps and waits to be woken.
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

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// A shell that does what it is told; killed in the end.
    struct Shell(std::process::Child);

    impl Shell {
        fn does(script: &str) -> Self {
            let child = Command::new("sh")
                .args(["-c", script])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn();
            Self(child.unwrap())
        }
    }

    impl Drop for Shell {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_process_that_reads_sleeps_and_one_that_computes_does_not() {
        let patience = Duration::from_secs(20);
        let reader = Shell::does("read line");
        let settled = Look::settled(reader.0.id(), patience).unwrap();
        assert!(settled.asleep);
        let later = Look::settled(reader.0.id(), patience).unwrap();
        assert_eq!(settled.waits, later.waits, "nobody woke it");
        let spinner = Shell::does("while :; do :; done");
        // It may be looked at before the shell has begun to turn.
        let begin = Instant::now();
        while Look::at(spinner.0.id()).unwrap().asleep {
            assert!(begin.elapsed() < patience, "it never sleeps");
        }
    }
}
