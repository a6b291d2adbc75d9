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
    /// `name` is an index into the names.
    Named {
        task: u64,
        name: u32,
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
        outcome: Packed,
        from: Line,
    },
    WakerStored {
        fd: i32,
        direction: Direction,
        crowded: bool,
        from: Line,
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
        from: Line,
    },
    TimerFired(u32),
    TimerAlone(u32),
    /// Nanoseconds in which the thread could have run, and did not, in the poll that ends.
    HeldUp(u64),
}

/// A line of the program: its index in the places, and one more; 0 is none.
pub(super) type Line = u16;

/// [`Outcome`], with a number that fits.
#[derive(Clone, Copy)]
pub(super) enum Packed {
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
    names: &mut Vec<String>,
    mut push: impl FnMut(What),
) {
    push(match event {
        Event::Spawn { task, from } => {
            let from = index(places, from);
            What::Spawn { task, from }
        }
        Event::Named { task, name } => {
            names.push(name.to_owned());
            let name = narrow(names.len() - 1);
            What::Named { task, name }
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
        Event::Syscall {
            call,
            fd,
            outcome,
            from,
        } => What::Syscall {
            call,
            fd,
            outcome: result(outcome),
            from: place(places, from),
        },
        Event::WakerStored {
            fd,
            direction,
            crowded,
            from,
        } => What::WakerStored {
            fd,
            direction,
            crowded,
            from: place(places, from),
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
        Event::TimerSet {
            timer,
            deadline,
            from,
        } => What::TimerSet {
            timer,
            deadline: nanoseconds(deadline),
            from: place(places, from),
        },
        Event::TimerFired { timer } => What::TimerFired(timer),
        Event::TimerAlone { timer } => What::TimerAlone(timer),
    });
}

fn result(outcome: Outcome) -> Packed {
    match outcome {
        Outcome::Done => Packed::Done,
        Outcome::Returned(number) => Packed::Returned(narrow(number)),
        Outcome::Short => Packed::Short,
        Outcome::WouldBlock => Packed::WouldBlock,
        Outcome::Failed(errno) => Packed::Failed(errno),
    }
}

fn place(
    places: &mut Vec<&'static Location<'static>>,
    from: Option<&'static Location<'static>>,
) -> Line {
    // One past the last that fits is none.
    from.map_or(0, |from| {
        Line::try_from(index(places, from) + 1).unwrap_or(0)
    })
}

/// The place of `from` in the list. A program has few lines that spawn, or await something.
fn index(places: &mut Vec<&'static Location<'static>>, from: &'static Location<'static>) -> u32 {
    let known = places.iter().position(|place| std::ptr::eq(*place, from));
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
