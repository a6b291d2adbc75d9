//! How long a thread could have run and did not, because others had the processors.
//!
//! A poll that takes long on a machine that is busy with something else has done nothing wrong. Only
//! the kernel knows the difference.

use std::fs;

/// The thread that made this.
pub(super) struct Thread {
    /// Its counts; `None` where the system keeps none.
    path: Option<String>,
}

impl Thread {
    pub(super) fn current() -> Self {
        let name = fs::read_link("/proc/thread-self").ok();
        let path = name.map(|name| format!("/proc/{}/schedstat", name.display()));
        Thread { path }
    }

    /// Nanoseconds since it began; 0 where nobody counts. See `proc_pid_schedstat` in proc(5): the
    /// second number is the time that was spent waiting on a run queue.
    pub(super) fn held_up(&self) -> u64 {
        let text = self
            .path
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok());
        let number = text.as_deref().and_then(|text| text.split(' ').nth(1));
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::Thread;

    #[test]
    fn grows_and_never_shrinks() {
        let thread = Thread::current();
        let before = thread.held_up();
        std::thread::yield_now();
        assert!(thread.held_up() >= before);
    }
}
