//! What the model knows of one direction of a connection.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

/// One direction: where its writer and its readers are.
#[derive(Debug)]
pub(crate) struct Flow {
    seed: u64,
    /// Bytes that a write has reported.
    written: Cell<usize>,
    /// Bytes that a write may have moved and will report only when it has moved more.
    underway: Cell<usize>,
    /// Bytes that a read has reported.
    read: Cell<usize>,
    /// The writer has said that no more will come.
    ended: Cell<bool>,
    /// A reader has heard that no more will come.
    heard: Cell<bool>,
    /// An end has hung up, so bytes on the way may be lost, and calls may fail.
    cut: Cell<bool>,
}

impl Flow {
    pub(crate) fn new(seed: u64) -> Rc<Flow> {
        Rc::new(Flow {
            seed,
            written: Cell::new(0),
            underway: Cell::new(0),
            read: Cell::new(0),
            ended: Cell::new(false),
            heard: Cell::new(false),
            cut: Cell::new(false),
        })
    }

    /// The next `length` bytes that are to be written.
    pub(crate) fn next(&self, length: usize) -> Vec<u8> {
        let start = self.written.get();
        (start..start + length)
            .map(|place| self.byte(place))
            .collect()
    }

    /// A write has reported that it took `length` bytes of `offered`.
    pub(crate) fn wrote(&self, length: usize, offered: usize) {
        assert!(length <= offered, "{length} bytes of {offered} written");
        assert!(length > 0 || offered == 0, "a write that wrote nothing");
        self.written.set(self.written.get() + length);
    }

    /// A write of several calls begins, or has ended.
    pub(crate) fn underway(&self, length: usize) {
        self.underway.set(length);
    }

    /// A read has reported these bytes.
    pub(crate) fn received(&self, bytes: &[u8]) {
        self.peeked(bytes);
        self.read.set(self.read.get() + bytes.len());
    }

    /// These bytes are the next, and stay.
    pub(crate) fn peeked(&self, bytes: &[u8]) {
        let start = self.read.get();
        // One call is reported in the poll that makes it, so we cannot have come in between.
        let end = start + bytes.len();
        let sent = self.written.get() + self.underway.get();
        assert!(end <= sent, "{end} bytes of {self:?}");
        assert!(
            bytes.is_empty() || !self.heard.get(),
            "bytes behind the end"
        );
        for (place, &byte) in bytes.iter().enumerate() {
            assert_eq!(
                byte,
                self.byte(start + place),
                "at {} of {self:?}",
                start + place
            );
        }
    }

    /// A read has reported the end.
    pub(crate) fn heard_the_end(&self) {
        if !self.cut.get() {
            assert!(self.ended.get(), "an end that nobody has written: {self:?}");
            assert_eq!(self.read.get(), self.written.get(), "lost bytes: {self:?}");
        }
        self.heard.set(true);
    }

    /// A read of an exact length has met the end before, and does not say where in `buffer`.
    pub(crate) fn heard_the_end_in(&self, buffer: &[u8]) {
        if !self.cut.get() {
            let rest = self.written.get() - self.read.get();
            assert!(rest < buffer.len(), "more than enough was there: {self:?}");
            self.received(&buffer[..rest]);
        }
        self.heard_the_end();
    }

    /// The writer has shut down.
    pub(crate) fn end(&self) {
        self.ended.set(true);
    }

    /// An end is about to hang up.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.get()
    }

    /// Is this error one that a hang-up may cause?
    pub(crate) fn excuses(&self, error: &io::Error) -> bool {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
        let kinds = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected];
        self.cut.get() && kinds.contains(&error.kind())
    }

    /// Everybody is done.
    pub(crate) fn check_end(&self) {
        if !self.cut.get() {
            assert!(self.heard.get(), "the end is not heard: {self:?}");
            assert_eq!(self.read.get(), self.written.get(), "{self:?}");
        }
    }

    /// The byte at this place; two streams differ, and so do two places near each other.
    fn byte(&self, place: usize) -> u8 {
        let mixed = (place as u64 ^ self.seed << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed.to_be_bytes()[0]
    }
}
