//! Exercise 5, solved.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use exercises::e05::Waits;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use selectors_core::{EVENT_READ, EVENT_WRITE, Events};

/// Watches fds with poll(2).
#[derive(Default)]
pub struct PollSelector<'fd> {
    keys: Vec<(BorrowedFd<'fd>, Events)>,
}

impl<'fd> Waits<'fd> for PollSelector<'fd> {
    fn register(&mut self, fd: BorrowedFd<'fd>, events: Events) {
        self.keys.push((fd, events));
    }

    fn unregister(&mut self, fd: RawFd) {
        self.keys.retain(|(key, _)| key.as_raw_fd() != fd);
    }

    fn select(&mut self, timeout: Option<Duration>) -> io::Result<Vec<(RawFd, Events)>> {
        let mut records = Vec::new();
        for (fd, events) in &self.keys {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, events.is_readable());
            flags.set(PollFlags::OUT, events.is_writable());
            records.push(PollFd::from_borrowed_fd(*fd, flags));
        }
        // A time too long to be told is as good as for ever.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut records, left.as_ref()) {
                // A signal has come in between: asked again, for the time that is left.
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => break,
            }
        }
        let mut ready = Vec::new();
        for ((fd, events), record) in self.keys.iter().zip(&records) {
            let found = record.revents();
            // Python's rule: whatever is not OUT lets a reader go on, whatever is not IN a writer.
            let read = events.is_readable() && !(found - PollFlags::OUT).is_empty();
            let write = events.is_writable() && !(found - PollFlags::IN).is_empty();
            let events = match (read, write) {
                (true, true) => EVENT_READ | EVENT_WRITE,
                (true, false) => EVENT_READ,
                (false, true) => EVENT_WRITE,
                (false, false) => continue,
            };
            ready.push((fd.as_raw_fd(), events));
        }
        Ok(ready)
    }
}
