//! One event in 32 bytes, so that recording it is a store and not a conversation.

use std::panic::Location;
use std::time::Duration;

use selectors_core::{Events, Readiness};

use crate::watch::call::Call;
use crate::watch::direction::Direction;
use crate::watch::events::{Cause, Event, Outcome};

/// An event, when it happened, and which line did it.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) time: u64,
    pub(super) at: &'static Location<'static>,
    pub(super) what: What,
}

const _: () = assert!(size_of::<Record>() <= 32);

/// [`Event`], with what it borrows taken apart: the keys that a select found ready are records of
/// their own behind it.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// `from` is an index into the places.
    Spawn {
        task: u64,
        from: u32,
    },
    Enqueue {
        task: u64,
        queued: u32,
    },
    PollBegin(u64),
    PollEnd {
        task: u64,
        ready: bool,
    },
    Done(u64),
    DropPending(u64),
    Lost(u64),
    Syscall {
        call: Call,
        fd: i32,
        outcome: Result,
    },
    WakerStored {
        fd: i32,
        direction: Direction,
        crowded: bool,
    },
    Register {
        fd: i32,
        events: u8,
    },
    Modify {
        fd: i32,
        events: u8,
    },
    Unregister(i32),
    /// `timeout` in nanoseconds; the maximum is for ever.
    SelectBegin {
        timeout: u64,
        keys: u32,
    },
    SelectEnd,
    Ready {
        fd: i32,
        readiness: Readiness,
    },
    Wake {
        task: u64,
        by: Cause,
        coalesced: bool,
    },
    Notify,
    TimerSet {
        timer: u32,
        deadline: u64,
    },
    TimerFired(u32),
    /// Nanoseconds in which the thread could have run, and did not, in the poll that ends.
    HeldUp(u64),
}

/// [`Outcome`], with a number that fits.
#[derive(Clone, Copy)]
pub(super) enum Result {
    Done,
    Returned(u32),
    Short,
    WouldBlock,
    Failed(i32),
}

/// Takes an event apart into records.
pub(super) fn pack(
    event: Event<'_>,
    places: &mut Vec<&'static Location<'static>>,
    mut push: impl FnMut(What),
) {
    push(match event {
        Event::Spawn { task, from } => {
            let from = index(places, from);
            What::Spawn { task, from }
        }
        Event::Enqueue { task, queued } => What::Enqueue {
            task,
            queued: narrow(queued),
        },
        Event::PollBegin { task } => What::PollBegin(task),
        Event::PollEnd { task, ready } => What::PollEnd { task, ready },
        Event::Done { task } => What::Done(task),
        Event::DropPending { task } => What::DropPending(task),
        Event::Lost { task } => What::Lost(task),
        Event::Syscall { call, fd, outcome } => What::Syscall {
            call,
            fd,
            outcome: result(outcome),
        },
        Event::WakerStored {
            fd,
            direction,
            crowded,
        } => What::WakerStored {
            fd,
            direction,
            crowded,
        },
        Event::Register { fd, events } => What::Register {
            fd,
            events: events.bits(),
        },
        Event::Modify { fd, events } => What::Modify {
            fd,
            events: events.map_or(0, Events::bits),
        },
        Event::Unregister { fd } => What::Unregister(fd),
        Event::SelectBegin { timeout, keys } => What::SelectBegin {
            timeout: timeout.map_or(u64::MAX, nanoseconds),
            keys: narrow(keys),
        },
        Event::SelectEnd { ready } => {
            push(What::SelectEnd);
            for &(fd, readiness) in ready {
                push(What::Ready { fd, readiness });
            }
            return;
        }
        Event::Wake {
            task,
            by,
            coalesced,
        } => What::Wake {
            task,
            by,
            coalesced,
        },
        Event::Notify => What::Notify,
        Event::TimerSet { timer, deadline } => What::TimerSet {
            timer,
            deadline: nanoseconds(deadline),
        },
        Event::TimerFired { timer } => What::TimerFired(timer),
    });
}

fn result(outcome: Outcome) -> Result {
    match outcome {
        Outcome::Done => Result::Done,
        Outcome::Returned(number) => Result::Returned(narrow(number)),
        Outcome::Short => Result::Short,
        Outcome::WouldBlock => Result::WouldBlock,
        Outcome::Failed(errno) => Result::Failed(errno),
    }
}

/// The place of `from` in the list. A program has few lines that spawn.
fn index(places: &mut Vec<&'static Location<'static>>, from: &'static Location<'static>) -> u32 {
    let known = places.iter().position(|place| *place == from);
    narrow(known.unwrap_or_else(|| {
        places.push(from);
        places.len() - 1
    }))
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
