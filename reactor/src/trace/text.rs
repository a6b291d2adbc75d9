//! Records as lines of JSON. Everything here is a number or a name of ours, but for the file names
//! of places and the names of tasks: only those have to be escaped.

use std::fmt::Write;
use std::iter::Peekable;
use std::panic::Location;
use std::slice::Iter;

use selectors_core::Readiness;

use super::names::Names;
use super::record::{Line, Packed, Record, What};
use crate::watch::direction::Direction;
use crate::watch::events::Cause;

/// Of the format. A reader refuses another.
const VERSION: u32 = 1;

/// The first line.
pub(super) fn header(backend: &str, trigger: &str, record: u64, write: u64) -> String {
    format!(
        "{{\"trace\":\"reactor\",\"version\":{VERSION},\"backend\":\"{backend}\",\
         \"trigger\":\"{trigger}\",\"overhead\":{{\"record_ns\":{record},\"write_ns\":{write}}},\
         \"note\":\"each event delays the program by record_ns, and by write_ns when the recorder \
         writes; do not measure speed with the recorder on\"}}\n"
    )
}

/// Says that the recorder itself was at work.
pub(super) fn recorder(out: &mut String, begin: u64, took: u64) {
    put(
        out,
        format_args!("{{\"t\":{begin},\"e\":\"recorder\",\"took\":{took}}}\n"),
    );
}

/// Says that a poll takes long, and how much of that is the fault of others.
pub(super) fn held_up(out: &mut String, time: u64, held_up: u64) {
    put(
        out,
        format_args!("{{\"t\":{time},\"e\":\"recorder\",\"took\":0,\"held_up\":{held_up}}}\n"),
    );
}

/// Says that the trace ends here, though the program goes on.
pub(super) fn limit(time: u64, limit: u64) -> String {
    format!("{{\"t\":{time},\"e\":\"recorder\",\"took\":0,\"limit\":{limit}}}\n")
}

/// One event; takes the records that belong to it from `rest`.
pub(super) fn event(
    out: &mut String,
    record: &Record,
    (places, named): (&[&'static Location<'static>], &[String]),
    names: &mut Names,
    rest: &mut Peekable<Iter<'_, Record>>,
) {
    if let What::HeldUp(nanoseconds) = record.what {
        return held_up(out, record.time, nanoseconds);
    }
    if is_stale(&record.what, names) {
        return;
    }
    put(out, format_args!("{{\"t\":{},\"at\":\"", record.time));
    place(out, record.at);
    out.push_str("\",\"e\":\"");
    match record.what {
        What::Spawn { task, from } => {
            names.arrive(task);
            task_event(out, "spawn", names, task);
            awaited(out, places.get(from as usize));
        }
        What::Named { task, name } => {
            task_event(out, "named", names, task);
            out.push_str(",\"name\":\"");
            escaped(out, named.get(name as usize).map_or("", String::as_str));
            out.push('"');
        }
        What::Enqueue { task, queued } => {
            task_event(out, "enqueue", names, task);
            put(out, format_args!(",\"queued\":{queued}"));
        }
        What::PollBegin(task) => task_event(out, "poll_begin", names, task),
        What::PollEnd { task, ready } => {
            task_event(out, "poll_end", names, task);
            put(out, format_args!(",\"ready\":{ready}"));
        }
        What::Done(task) => {
            task_event(out, "done", names, task);
            names.leave(task);
        }
        What::DropPending(task) => {
            task_event(out, "drop_pending", names, task);
            names.tasks.forget(task);
        }
        What::Lost(task) => task_event(out, "lost", names, task),
        What::Syscall {
            call,
            fd,
            outcome,
            from,
        } => {
            fd_event(out, "syscall", names, fd);
            put(out, format_args!(",\"call\":\"{call}\""));
            result(out, outcome);
            awaited(out, nth(places, from));
        }
        What::WakerStored {
            fd,
            direction,
            crowded,
            from,
        } => {
            fd_event(out, "waker_stored", names, fd);
            let direction = match direction {
                Direction::Read => "R",
                Direction::Write => "W",
            };
            put(
                out,
                format_args!(",\"dir\":\"{direction}\",\"crowded\":{crowded}"),
            );
            awaited(out, nth(places, from));
        }
        What::Register { fd, events } => {
            fd_event(out, "register", names, fd);
            interest(out, events);
        }
        What::Modify { fd, events } => {
            fd_event(out, "modify", names, fd);
            interest(out, events);
        }
        What::Unregister(fd) => {
            fd_event(out, "unregister", names, fd);
            names.fds.forget(fd);
        }
        What::SelectBegin { timeout, keys } => {
            out.push_str("select_begin\",\"timeout\":");
            match timeout {
                u64::MAX => out.push_str("null"),
                _ => put(out, format_args!("{timeout}")),
            }
            put(out, format_args!(",\"keys\":{keys}"));
        }
        What::SelectEnd => select_end(out, names, rest),
        // Taken by the select that it belongs to; told above.
        What::Ready { .. } | What::HeldUp(_) => out.push_str("ready\""),
        What::Wake {
            task,
            by,
            coalesced,
        } => {
            task_event(out, "wake", names, task);
            let by = match by {
                Cause::Task => "task",
                Cause::Reactor => "reactor",
                Cause::Timer => "timer",
                Cause::Thread => "thread",
                Cause::Budget => "budget",
            };
            put(
                out,
                format_args!(",\"by\":\"{by}\",\"coalesced\":{coalesced}"),
            );
        }
        What::Notify => out.push_str("notify\""),
        What::TimerSet {
            timer,
            deadline,
            from,
        } => {
            let (number, _) = names.timers.of(timer);
            put(
                out,
                format_args!("timer_set\",\"timer\":{number},\"deadline\":{deadline}"),
            );
            awaited(out, nth(places, from));
        }
        What::TimerFired(timer) => {
            let (number, _) = names.timers.of(timer);
            put(out, format_args!("timer_fired\",\"timer\":{number}"));
            names.timers.forget(timer);
        }
        What::TimerAlone(timer) => {
            let (number, _) = names.timers.of(timer);
            put(out, format_args!("timer_alone\",\"timer\":{number}"));
        }
    }
    out.push_str("}\n");
}

/// Is it the wake of a task that is over? Nothing comes of it, and its name is forgotten.
fn is_stale(what: &What, names: &Names) -> bool {
    matches!(what, What::Wake { task, coalesced: true, .. } if !names.tasks.knows(*task))
}

fn select_end(out: &mut String, names: &mut Names, rest: &mut Peekable<Iter<'_, Record>>) {
    out.push_str("select_end\",\"ready\":[");
    let mut comma = "";
    while let Some(record) = rest.next_if(|record| matches!(record.what, What::Ready { .. })) {
        let What::Ready { fd, readiness } = record.what else {
            continue;
        };
        let (number, _) = names.fds.of(fd);
        put(out, format_args!("{comma}[{number},\""));
        conditions(out, readiness);
        out.push_str("\"]");
        comma = ",";
    }
    out.push(']');
}

fn task_event(out: &mut String, name: &str, names: &mut Names, task: u64) {
    let (number, _) = names.tasks.of(task);
    put(out, format_args!("{name}\",\"task\":{number}"));
}

fn fd_event(out: &mut String, name: &str, names: &mut Names, fd: i32) {
    let (number, new) = names.fds.of(fd);
    put(out, format_args!("{name}\",\"fd\":{number}"));
    if new {
        put(out, format_args!(",\"raw\":{fd}"));
    }
}

fn result(out: &mut String, result: Packed) {
    match result {
        Packed::Done => out.push_str(",\"result\":\"ok\""),
        Packed::Returned(number) => put(out, format_args!(",\"result\":\"ok\",\"n\":{number}")),
        Packed::Short => out.push_str(",\"result\":\"short\""),
        Packed::WouldBlock => out.push_str(",\"result\":\"would_block\""),
        Packed::Failed(errno) => {
            put(out, format_args!(",\"result\":\"error\",\"errno\":{errno}"));
        }
    }
}

/// As in `"RW"`; empty is parked.
fn interest(out: &mut String, bits: u8) {
    let text = ["", "R", "W", "RW"][usize::from(bits & 3)];
    put(out, format_args!(",\"events\":\"{text}\""));
}

/// R and W as for interest; Closed by the peer, Hung up, Error, Priority, Invalid.
fn conditions(out: &mut String, readiness: Readiness) {
    let letters = [
        (Readiness::READABLE, 'R'),
        (Readiness::WRITABLE, 'W'),
        (Readiness::READ_CLOSED, 'C'),
        (Readiness::HANGUP, 'H'),
        (Readiness::ERROR, 'E'),
        (Readiness::PRIORITY, 'P'),
        (Readiness::INVALID, 'I'),
    ];
    let set = letters.iter().filter(|(bit, _)| readiness.contains(*bit));
    out.extend(set.map(|(_, letter)| letter));
}

/// Where the program spawns or awaits it, if that is known.
fn awaited(out: &mut String, from: Option<&&'static Location<'static>>) {
    if let Some(from) = from {
        out.push_str(",\"from\":\"");
        place(out, from);
        out.push('"');
    }
}

fn nth<'a>(
    places: &'a [&'static Location<'static>],
    number: Line,
) -> Option<&'a &'static Location<'static>> {
    places.get(usize::from(number).checked_sub(1)?)
}

fn place(out: &mut String, place: &Location<'_>) {
    escaped(out, place.file());
    put(out, format_args!(":{}", place.line()));
}

fn escaped(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(text);
}
