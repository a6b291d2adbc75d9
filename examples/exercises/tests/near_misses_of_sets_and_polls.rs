//! Answers to exercises 2, 3 and 5 that come near: what a first reader writes, and what the judge
//! has to say about it.

use exercises::Judged;

#[track_caller]
fn refused(judged: Judged, words: &str) {
    let wrong = judged.expect_err("not good enough").to_string();
    assert!(wrong.contains(words), "{words:?} is not in: {wrong}");
}

mod e02 {
    use exercises::e02::judge;
    use trace::{Step, Trace};

    use super::refused;

    /// Counts the calls that `vain` names, for each byte of the calls that `brings` names.
    fn count(
        trace: &Trace,
        vain: fn(&str, Option<u64>) -> bool,
        brings: fn(&str) -> bool,
    ) -> (u32, u64) {
        let (mut wasted, mut bytes) = (0, 0);
        for line in &trace.lines {
            if let Step::Syscall {
                call, result, n, ..
            } = &line.step
            {
                wasted += u32::from(vain(result, *n));
                if brings(call) {
                    bytes += n.unwrap_or(0);
                }
            }
        }
        (wasted, bytes)
    }

    fn ratio((wasted, bytes): (u32, u64)) -> Option<f64> {
        (bytes != 0).then(|| f64::from(wasted) / bytes as f64)
    }

    #[test]
    fn bytes_on_their_way_out_and_numbers_of_fds_do_not_count() {
        let vain = |result: &str, _| result == "would_block";
        refused(
            judge(|trace| ratio(count(trace, vain, |call| call != "accept"))),
            "on their way out",
        );
        refused(
            judge(|trace| ratio(count(trace, vain, |call| call != "send"))),
            "the number of an fd",
        );
    }

    #[test]
    fn the_end_and_an_error_are_news() {
        let recv = |call: &str| call == "recv";
        let end = |result: &str, n| result == "would_block" || n == Some(0);
        refused(judge(|trace| ratio(count(trace, end, recv))), "is the end");
        let no_number = |_: &str, n: Option<u64>| n.is_none();
        refused(
            judge(|trace| ratio(count(trace, no_number, recv))),
            "A reset is an error",
        );
    }

    #[test]
    fn nothing_is_divided_by_no_byte() {
        let vain = |result: &str, _| result == "would_block";
        let infinite = |trace: &Trace| {
            let (wasted, bytes) = count(trace, vain, |call| call == "recv");
            Some(f64::from(wasted) / bytes as f64)
        };
        refused(judge(infinite), "nothing to divide by");
    }
}

mod e03 {
    use exercises::e03::{Set, judge};

    use super::refused;

    const SHRINKS: usize = 0;
    const TOGGLES: usize = 1;
    const KEEPS_ITS_HEIGHT: usize = 2;

    /// A set with one fault.
    #[derive(Default)]
    struct Wrong<const FAULT: usize> {
        words: Vec<u64>,
        highest: usize,
    }

    impl<const FAULT: usize> Set for Wrong<FAULT> {
        fn insert(&mut self, fd: usize) {
            let words = fd / 64 + 1;
            if FAULT == SHRINKS || words > self.words.len() {
                self.words.resize(words, 0);
            }
            self.words[fd / 64] |= 1 << (fd % 64);
            self.highest = self.highest.max(fd + 1);
        }

        fn remove(&mut self, fd: usize) {
            if let Some(word) = self.words.get_mut(fd / 64) {
                match FAULT {
                    TOGGLES => *word ^= 1 << (fd % 64),
                    _ => *word &= !(1 << (fd % 64)),
                }
            }
        }

        fn contains(&self, fd: usize) -> bool {
            self.words
                .get(fd / 64)
                .is_some_and(|word| word & (1 << (fd % 64)) != 0)
        }

        fn nfds(&self) -> usize {
            if FAULT == KEEPS_ITS_HEIGHT {
                return self.highest;
            }
            let numbers = (0..self.words.len() * 64).rev();
            numbers
                .into_iter()
                .find(|fd| self.contains(*fd))
                .map_or(0, |fd| fd + 1)
        }

        fn words(&self) -> &[u64] {
            &self.words
        }
    }

    #[test]
    fn a_small_number_must_not_make_it_shorter() {
        refused(judge::<Wrong<SHRINKS>>(), "make the set shorter");
    }

    #[test]
    fn taking_out_is_not_turning_over() {
        refused(judge::<Wrong<TOGGLES>>(), "5 was never put in");
    }

    #[test]
    fn the_height_comes_down_again() {
        refused(
            judge::<Wrong<KEEPS_ITS_HEIGHT>>(),
            "the highest number that is left is 3",
        );
    }
}

mod e05 {
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
    use std::time::{Duration, Instant};

    use exercises::e05::{Waits, judge};
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use selectors_core::{EVENT_READ, EVENT_WRITE, Events};

    use super::refused;

    const DEAF_TO_HUP: usize = 0;
    const ALL_THAT_WAS_ASKED: usize = 1;
    const ONE_REPORT_EACH: usize = 2;
    const MILLISECONDS: usize = 3;
    const GIVES_UP: usize = 4;
    const NOTHING_CAME: usize = 5;
    const ALL_OF_THE_TIME: usize = 6;

    /// A selector with one fault.
    #[derive(Default)]
    struct Wrong<'fd, const FAULT: usize>(Vec<(BorrowedFd<'fd>, Events)>);

    impl<const FAULT: usize> Wrong<'_, FAULT> {
        fn wait(records: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<()> {
            let deadline = timeout.map(|timeout| Instant::now() + timeout);
            loop {
                let left = match FAULT {
                    ALL_OF_THE_TIME => timeout,
                    MILLISECONDS => {
                        timeout.map(|time| Duration::from_millis(time.as_millis() as u64))
                    }
                    _ => {
                        deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
                    }
                };
                let left = left.map(|left| Timespec::try_from(left).expect("it is short"));
                match poll(records, left.as_ref()) {
                    Err(Errno::INTR) if FAULT == NOTHING_CAME => return Ok(()),
                    Err(Errno::INTR) if FAULT != GIVES_UP => {}
                    Err(error) => return Err(error.into()),
                    Ok(_) => return Ok(()),
                }
            }
        }
    }

    impl<'fd, const FAULT: usize> Waits<'fd> for Wrong<'fd, FAULT> {
        fn register(&mut self, fd: BorrowedFd<'fd>, events: Events) {
            self.0.push((fd, events));
        }

        fn unregister(&mut self, fd: RawFd) {
            self.0.retain(|(key, _)| key.as_raw_fd() != fd);
        }

        fn select(&mut self, timeout: Option<Duration>) -> io::Result<Vec<(RawFd, Events)>> {
            let ask = |(fd, events): &(BorrowedFd<'fd>, Events)| {
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::IN, events.is_readable());
                flags.set(PollFlags::OUT, events.is_writable());
                PollFd::from_borrowed_fd(*fd, flags)
            };
            let mut records: Vec<_> = self.0.iter().map(ask).collect();
            Self::wait(&mut records, timeout)?;
            let unasked = match FAULT {
                DEAF_TO_HUP => PollFlags::empty(),
                _ => PollFlags::HUP | PollFlags::ERR,
            };
            let mut ready = Vec::new();
            for ((fd, asked), record) in self.0.iter().zip(&records) {
                let (fd, found) = (fd.as_raw_fd(), record.revents());
                let read = asked.is_readable() && found.intersects(PollFlags::IN | unasked);
                let write = asked.is_writable() && found.intersects(PollFlags::OUT | unasked);
                match (read, write) {
                    (false, false) => {}
                    _ if FAULT == ALL_THAT_WAS_ASKED => ready.push((fd, *asked)),
                    (true, true) if FAULT == ONE_REPORT_EACH => {
                        ready.extend([(fd, EVENT_READ), (fd, EVENT_WRITE)]);
                    }
                    (true, true) => ready.push((fd, EVENT_READ | EVENT_WRITE)),
                    (true, false) => ready.push((fd, EVENT_READ)),
                    (false, true) => ready.push((fd, EVENT_WRITE)),
                }
            }
            Ok(ready)
        }
    }

    #[test]
    fn what_is_reported_is_what_holds_and_was_asked_for() {
        refused(judge::<Wrong<'_, DEAF_TO_HUP>>(), "come unasked");
        refused(judge::<Wrong<'_, ALL_THAT_WAS_ASKED>>(), "what holds AND");
        refused(judge::<Wrong<'_, ONE_REPORT_EACH>>(), "Each key once");
    }

    #[test]
    fn a_timeout_is_not_cut_to_milliseconds() {
        refused(judge::<Wrong<'_, MILLISECONDS>>(), "fires early");
    }

    #[test]
    fn a_signal_is_neither_an_error_nor_the_end_of_the_time() {
        refused(judge::<Wrong<'_, GIVES_UP>>(), "returned the error");
        refused(
            judge::<Wrong<'_, NOTHING_CAME>>(),
            "for the time that is left",
        );
    }

    #[test]
    fn after_a_signal_the_time_that_is_left_counts() {
        refused(judge::<Wrong<'_, ALL_OF_THE_TIME>>(), "while signals come");
    }
}
