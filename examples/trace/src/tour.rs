//! One await, from call to wake, in eight captions: the first one in a trace that goes all the way.

use std::iter::Peekable;

use serde::Serialize;

use crate::{Step, Trace};

/// A caption, and the event that it stands at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// The event, as the timeline counts: from 1, the recorder's own lines left out.
    pub event: usize,
    /// Which of the six stations, with its number.
    pub station: &'static str,
    /// What happens there.
    pub text: String,
}

/// The stops of the first read that met WouldBlock, slept, was woken and found bytes; `None` if the
/// trace has no such read.
///
/// ```
/// let trace = include_str!("../../traces/s09_await.trace");
/// let stops = trace::tour::of(&trace::Trace::parse(trace)?).expect("step 9 awaits");
/// let stations: Vec<&str> = stops.iter().map(|stop| stop.station).collect();
/// assert_eq!(
///     stations,
///     ["1 syscall", "2 key", "3 waker", "6 select", "6 select", "3' waker", "4 ready queue", "5 poll"]
/// );
/// # Ok::<(), trace::Bad>(())
/// ```
#[must_use]
pub fn of(trace: &Trace) -> Option<Vec<Stop>> {
    let steps = trace.lines.iter().map(|line| &line.step);
    let steps: Vec<&Step> = steps
        .filter(|step| !matches!(step, Step::Recorder { .. }))
        .collect();
    let mut running = None;
    for (at, step) in steps.iter().enumerate() {
        match (step, running) {
            (Step::PollBegin { task }, _) => running = Some(*task),
            (Step::PollEnd { .. }, _) => running = None,
            (
                Step::Syscall {
                    fd, call, result, ..
                },
                Some(task),
            ) if call == "recv" && result == "would_block" => {
                if let Some(events) = way(&steps, at, task, *fd) {
                    return Some(captions(&events, task, *fd));
                }
            }
            _ => {}
        }
    }
    None
}

/// The places of the eight events that follow a read in vain, if they are all there.
fn way(steps: &[&Step], at: usize, me: u32, key: u32) -> Option<[usize; 8]> {
    let mut steps = steps.iter().enumerate().skip(at + 1).peekable();
    let stored = find(
        &mut steps,
        |step| matches!(step, Step::WakerStored { fd, .. } if *fd == key),
    )?;
    let pending = find(
        &mut steps,
        |step| matches!(step, Step::PollEnd { task, ready: false } if *task == me),
    )?;
    let asleep = find(
        &mut steps,
        |step| matches!(step, Step::SelectBegin { timeout, .. } if *timeout != Some(0)),
    )?;
    let awake = find(
        &mut steps,
        |step| matches!(step, Step::SelectEnd { ready } if ready.iter().any(|(fd, _)| *fd == key)),
    )?;
    let woken = find(
        &mut steps,
        |step| matches!(step, Step::Wake { task, by, .. } if *task == me && by == "reactor"),
    )?;
    let queued = find(
        &mut steps,
        |step| matches!(step, Step::Enqueue { task, .. } if *task == me),
    )?;
    let polled = find(
        &mut steps,
        |step| matches!(step, Step::PollBegin { task } if *task == me),
    )?;
    // It is the end of the way only if there is something to read this time.
    matches!(steps.peek()?.1, Step::Syscall { fd, result, n, .. } if *fd == key && result != "would_block" && *n != Some(0))
        .then_some([at, stored, pending, asleep, awake, woken, queued, polled])
}

fn find<'a>(
    steps: &mut Peekable<impl Iterator<Item = (usize, &'a &'a Step)>>,
    is: impl Fn(&Step) -> bool,
) -> Option<usize> {
    steps.find(|(_, step)| is(step)).map(|(at, _)| at)
}

fn captions(events: &[usize; 8], task: u32, fd: u32) -> Vec<Stop> {
    let said = [
        ("1 syscall", format!(
            "The task calls recv(2) on fd {fd}, and the kernel says WouldBlock: nothing there yet. A program \
             that blocks would stand still here, and everything else on its thread with it."
        )),
        ("2 key", format!(
            "All that is known about fd {fd} is in its key. The key has a slot: who waits here, and for what. \
             The task leaves its waker in it."
        )),
        ("3 waker", format!(
            "The task says Pending and returns. Task {task} has no stack and no thread now, and stands in no \
             list: its waker, in the slot, is all that can find it."
        )),
        ("6 select", "Nobody can run, so the thread goes to sleep: in the one call that waits for all keys \
             at once.".to_owned()),
        ("6 select", format!(
            "Bytes have come. The kernel says which keys are ready: fd {fd} is readable. Of tasks it knows \
             nothing."
        )),
        ("3' waker", format!(
            "The reactor finds the waker in the slot, and calls it: task {task}, it is worth while to ask again."
        )),
        ("4 ready queue", format!(
            "All that a waker does: it puts the number {task} at the end of the ready queue. Nothing has run yet."
        )),
        ("5 poll", "The executor takes the number from the queue and polls. The task goes on at the line where \
             it stood and calls recv(2) again: next event, and there are the bytes. That was one await.".to_owned()),
    ];
    let stops = said.into_iter().zip(events);
    stops
        .map(|((station, text), at)| Stop {
            event: at + 1,
            station,
            text,
        })
        .collect()
}
