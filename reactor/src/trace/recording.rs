//! What a recorder has heard and not written yet, and where it writes.

use std::io::{self, Write};
use std::panic::Location;
use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::held_up::Thread;
use super::names::Names;
use super::record::{Record, What, pack};
use super::text;
use super::told::say;
use crate::watch::events::Event;

/// Records that are kept before they are written.
pub(super) const BATCH: usize = 4096;

/// Bytes after which a trace ends, unless it is told otherwise.
pub(super) const LIMIT: u64 = 1 << 30;

/// Events of one trial, and trials, that the header's statement of cost is measured with.
const SAMPLE: u64 = 64;
const TRIALS: u32 = 4;

pub(super) struct Recording {
    start: Instant,
    records: Vec<Record>,
    /// Where tasks were spawned and what they await: a record has no room for a second place.
    places: Vec<&'static Location<'static>>,
    /// Names of tasks that are not written yet.
    named: Vec<String>,
    names: Names,
    line: String,
    out: Box<dyn Write + Send>,
    /// Bytes that may still be written.
    room: u64,
    /// Set by `set_limit`; a last line says it.
    limit: u64,
    /// The process that it belongs to. A child of fork(2) has a copy, and the same file.
    process: u32,
    /// The thread sleeps: the last record says so, and everything before it is written.
    asleep: bool,
    thread: Thread,
    poll: RunningPoll,
    /// The file has failed or is full, or nobody records any more: nothing more is written.
    over: bool,
}

/// The poll that runs. On a busy machine it may be no fault of its own that it takes long, so for
/// long ones is told how long the thread was held up.
#[derive(Default)]
struct RunningPoll {
    /// When it began, while it runs.
    began: Option<u64>,
    /// How long the thread had been held up shortly before, and when it was asked.
    held_up: u64,
    asked: u64,
    /// It is told not to have come back when it has taken this long, and then twice as long.
    patience: u64,
}

/// Of a poll that takes longer, in nanoseconds, is told how long it was held up.
const LONG: u64 = 50_000_000;

/// As long an answer of the kernel is fresh enough: to ask costs some microseconds.
const FRESH: u64 = 1_000_000;

impl Recording {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        let thread = Thread::current();
        Recording {
            start: Instant::now(),
            records: Vec::with_capacity(BATCH),
            places: Vec::new(),
            named: Vec::new(),
            names: Names::default(),
            line: String::new(),
            out,
            room: LIMIT,
            limit: LIMIT,
            process: process::id(),
            asleep: false,
            // What came before is not the fault of the first poll.
            poll: RunningPoll {
                held_up: thread.held_up(),
                ..RunningPoll::default()
            },
            thread,
            over: false,
        }
    }

    pub(super) fn set_limit(&mut self, bytes: u64) {
        let written = self.limit - self.room;
        self.limit = bytes.max(written);
        self.room = self.limit - written;
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    #[inline]
    pub(super) fn record(&mut self, event: Event<'_>, at: &'static Location<'static>) {
        if self.over {
            return;
        }
        let sleeps =
            matches!(event, Event::SelectBegin { timeout, .. } if timeout != Some(Duration::ZERO));
        if sleeps || self.records.len() >= BATCH {
            self.write();
        }
        self.asleep = sleeps;
        let time = self.now();
        match event {
            Event::PollBegin { .. } => self.poll_begins(time),
            Event::PollEnd { .. } => self.poll_ends(time, at),
            _ => {}
        }
        pack(event, &mut self.places, &mut self.named, |what| {
            self.records.push(Record { time, at, what });
        });
    }

    fn poll_begins(&mut self, now: u64) {
        if now - self.poll.asked > FRESH {
            self.poll.held_up = self.thread.held_up();
            self.poll.asked = now;
        }
        self.poll.began = Some(now);
        self.poll.patience = 2 * LONG;
    }

    fn poll_ends(&mut self, time: u64, at: &'static Location<'static>) {
        if self
            .poll
            .began
            .take()
            .is_some_and(|began| time - began > LONG)
        {
            let what = What::HeldUp(self.held_up_in_poll());
            self.records.push(Record { time, at, what });
        }
    }

    fn held_up_in_poll(&self) -> u64 {
        self.thread.held_up().saturating_sub(self.poll.held_up)
    }

    /// What nobody writes while the program runs: the records, and that a poll does not come back.
    pub(super) fn write_late(&mut self) {
        if self.asleep {
            return;
        }
        self.write();
        let now = self.now();
        let took = self.poll.began.map_or(0, |began| now - began);
        if took > self.poll.patience && !self.over {
            self.poll.patience = took.saturating_mul(2);
            let mut line = String::new();
            text::held_up(&mut line, now, self.held_up_in_poll());
            self.put(&line);
        }
    }

    /// Turns the records into text, and says how long that took.
    pub(super) fn write(&mut self) {
        if self.records.is_empty() || self.over {
            return;
        }
        if self.process != process::id() {
            self.records.clear();
            self.named.clear();
            self.over = true;
            return;
        }
        let begin = self.now();
        let mut text = std::mem::take(&mut self.line);
        text.clear();
        let mut records = self.records.iter().peekable();
        while let Some(record) = records.next() {
            text::event(
                &mut text,
                record,
                (&self.places, &self.named),
                &mut self.names,
                &mut records,
            );
        }
        self.records.clear();
        self.named.clear();
        let took = self.now() - begin;
        text::recorder(&mut text, begin, took);
        self.put(&text);
        self.line = text;
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self) {
        self.write();
        self.over = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Writes whole lines, as many as there is room for.
    pub(super) fn put(&mut self, lines: &str) {
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        let (lines, rest) = match lines.len() <= room {
            true => (lines, ""),
            false => {
                let end = lines.as_bytes()[..room].iter().rposition(|b| *b == b'\n');
                lines.split_at(end.map_or(0, |end| end + 1))
            }
        };
        self.room -= lines.len() as u64;
        self.send(lines);
        if !rest.is_empty() && !self.over {
            let last = text::limit(self.now(), self.limit);
            self.send(&last);
            self.over = true;
            say(format_args!(
                "the trace has reached its limit of {} bytes, and ends here",
                self.limit
            ));
        }
    }

    fn send(&mut self, lines: &str) {
        let sent = self.out.write_all(lines.as_bytes());
        if let Err(error) = sent.and_then(|()| self.out.flush()) {
            self.over = true;
            say(format_args!("{error}; the trace ends here"));
        }
    }
}

/// Nanoseconds that one event costs: to record it, and to write it. The best of some trials: a
/// machine that does something else meanwhile makes a trial worse, never better.
pub(super) fn cost() -> (u64, u64) {
    let mut best = (u64::MAX, u64::MAX);
    let mut trial = Recording::new(Box::new(io::sink()));
    let here = Location::caller();
    for _ in 0..TRIALS {
        let begin = trial.now();
        for task in 0..SAMPLE {
            trial.record(Event::PollBegin { task: task % 8 }, here);
        }
        let recorded = trial.now();
        trial.write();
        let written = trial.now();
        best.0 = best.0.min((recorded - begin) / SAMPLE);
        best.1 = best.1.min((written - recorded) / SAMPLE);
    }
    best
}

/// The recording, whatever happened to whoever held it.
pub(super) fn lock(recording: &Mutex<Recording>) -> MutexGuard<'_, Recording> {
    recording.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ended_tasks_are_forgotten_and_stale_wakes_bring_none_back() {
        let mut recording = Recording::new(Box::new(io::sink()));
        let here = Location::caller();
        for task in 0..10_000 {
            recording.record(Event::Spawn { task, from: here }, here);
            let ended = match task % 2 {
                0 => Event::Done { task },
                _ => Event::DropPending { task },
            };
            recording.record(ended, here);
            let stale = Event::Wake {
                task,
                by: crate::watch::events::Cause::Thread,
                coalesced: true,
            };
            recording.record(stale, here);
        }
        recording.write();
        assert!(recording.names.tasks.len() <= 1);
        assert!(recording.records.capacity() <= 2 * BATCH);
        assert_eq!(recording.places.len(), 1);
    }
}
