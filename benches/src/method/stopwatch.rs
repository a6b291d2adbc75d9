//! The clock of work in one thread: what the thread itself used. It stands still while others have the
//! CPU, so that a long piece of work beside busy neighbours is as long as alone.

use std::time::Duration;

use crate::sys;

/// Runs from when it was made, while its thread does.
#[derive(Clone, Copy)]
pub struct Stopwatch(Duration);

impl Stopwatch {
    pub fn begin() -> Self {
        Self(sys::thread_cpu_time())
    }

    /// What the thread has used since. To be asked by the thread that began.
    pub fn elapsed(&self) -> Duration {
        sys::thread_cpu_time().saturating_sub(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_while_the_thread_does() {
        let watch = Stopwatch::begin();
        std::thread::sleep(Duration::from_millis(200));
        assert!(watch.elapsed() < Duration::from_millis(100), "sleeping is no work");
        while watch.elapsed() < Duration::from_millis(1) {
            std::hint::spin_loop();
        }
    }
}
