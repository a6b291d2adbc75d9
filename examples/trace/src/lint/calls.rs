//! What a loop does with single calls: those that block, and those that need not have been made.

use std::collections::{BTreeSet, HashMap};

use super::{Hit, Hits};
use crate::{Header, Line, Step};

/// A call that takes longer, in nanoseconds, blocks.
const BLOCKS: u64 = 10_000_000;
/// Waits with room for one event before they mean anything.
const SINGLE: u32 = 32;
/// Reads that found bytes before the share of those that find none means anything.
const READS: u32 = 16;

/// All calls of a trace.
pub(super) struct Calls {
    edge: bool,
    /// Calls of which it was said that they block.
    told: BTreeSet<String>,
    /// The loop has waited: what came before belongs to the start of the program.
    waited: bool,
    /// Calls that block since then. If no wait comes any more, they belong to the end.
    blocked: Vec<Hit>,
    /// Waits in a row that had room for one event, and found it.
    single: u32,
    /// The room of the wait that is going on.
    room: Option<u32>,
    /// Keys that were read since the last wait, and found bytes.
    read: HashMap<u32, ()>,
    reads: u32,
    in_vain: u32,
}

impl Calls {
    pub(super) fn new(header: &Header) -> Self {
        Calls {
            edge: header.trigger == "edge",
            told: BTreeSet::new(),
            waited: false,
            blocked: Vec::new(),
            single: 0,
            room: None,
            read: HashMap::new(),
            reads: 0,
            in_vain: 0,
        }
    }

    pub(super) fn look(&mut self, line: &Line, hits: &mut Hits) {
        match &line.step {
            Step::Syscall {
                fd,
                call,
                result,
                n,
                took,
                ..
            } => {
                if let Some(took) = took.filter(|took| *took > BLOCKS)
                    && self.waited
                    && self.told.insert(call.clone())
                {
                    let text = format!(
                        "{call} took {} ms, and the thread has a loop to turn: meanwhile nobody else \
                             was served",
                        took / 1_000_000
                    );
                    self.blocked.push(hits.here("blocking-call", text));
                }
                if call.starts_with("re") {
                    self.reads(*fd, result, *n, hits);
                }
            }
            Step::SelectBegin { room, .. } => {
                self.room = *room;
                self.read.clear();
                self.waited = true;
                hits.found.append(&mut self.blocked);
            }
            Step::SelectEnd { ready } => {
                if self.room != Some(1) {
                    self.single = 0;
                } else if !ready.is_empty() {
                    self.single += 1;
                }
                if self.single == SINGLE {
                    let text = format!(
                        "the kernel was asked for one event at a time, {SINGLE} times: where many fds are \
                         ready, that is a system call for each"
                    );
                    hits.hit("one-event", text);
                }
            }
            _ => {}
        }
    }

    /// By level a read that finds nothing is a call that was not needed: what is left would be
    /// reported again.
    fn reads(&mut self, fd: u32, result: &str, n: Option<u64>, hits: &mut Hits) {
        if result == "ok" && n > Some(0) {
            self.reads += 1;
            self.read.insert(fd, ());
        } else if result == "would_block" && self.read.remove(&fd).is_some() {
            self.in_vain += 1;
            if !self.edge && self.in_vain == READS && self.in_vain * 2 > self.reads {
                let text = format!(
                    "{} of {} reads that found bytes were followed by one that found none: by level that \
                     call is not needed, since the kernel reports what is left",
                    self.in_vain, self.reads
                );
                hits.hit("read-again", text);
            }
        }
    }
}
