//! The rows of the table: what is counted, by what, and what ours must reach.

use benches::method::{Lengths, Placement, Process, Work, counted, process, slices};
use benches::subjects::Subject;
use benches::workloads;

pub(crate) struct Row {
    /// Its name on the command line and in the baseline.
    pub(crate) id: &'static str,
    /// What it is, and in what it is counted.
    pub(crate) what: &'static str,
    /// What ours must reach, if it must.
    pub(crate) most: f64,
    pub(crate) digits: usize,
    /// How far above the baseline it may be, of a baseline of so much; none if it does not repeat
    /// well enough to be held to it.
    pub(crate) room: Option<fn(f64) -> f64>,
}

pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    lengths: Lengths,
    by: By,
    pub(crate) rows: &'static [Row],
}

enum By {
    Callgrind,
    Strace,
    Heap,
    Told(&'static [&'static str]),
    /// Resident memory for each of so many idle connections, above the program's own buffer, in KiB.
    Idle(&'static [f64]),
}

/// A count, and what stands behind it: calls by name.
pub(crate) type Figure = (f64, String);

const fn lengths(short: u64, long: u64) -> Lengths {
    Lengths { short, long }
}

/// The work whose counts are the first of all.
pub(crate) const ECHO: (Work, Lengths) =
    // The long run is long enough for what happens every few hundred rounds.
    (Work::Echo { connections: 64 }, lengths(100, 400));
/// Operations of the executor, thousands of which take no time.
pub(crate) const THOUSANDS: Lengths = lengths(5000, 15_000);

const PART: Option<fn(f64) -> f64> = Some(|before| 0.05 * before);
const CALLS: Option<fn(f64) -> f64> = Some(|_| 0.05);
/// Waits are shared or not as the client's timing has it; a call more shows as one whole.
const CHURN: Option<fn(f64) -> f64> = Some(|_| 0.4);
/// Resident pages, over a thousand connections and more.
const MEMORY: Option<fn(f64) -> f64> = Some(|_| 0.05);
const WRITES: Option<fn(f64) -> f64> = Some(|_| 0.5);

/// A line for each row: name, what, target, digits, room; under the family that fills it.
macro_rules! families {
    ($($name:literal $work:expr, $lengths:expr, $by:expr => {
        $($id:literal $what:literal, $most:expr, $digits:literal, $room:expr;)*
    })*) => {
        /// All rows, in the order of the table.
        pub(crate) static FAMILIES: &[Family] = &[$(Family {
            name: $name,
            work: $work,
            lengths: $lengths,
            by: $by,
            rows: &[$(Row { id: $id, what: $what, most: $most, digits: $digits, room: $room },)*],
        },)*];
    };
}

families! {
    "echo-counts" ECHO.0, ECHO.1, By::Callgrind => {
        "echo-instructions" "echo, 64 connections [instr]", 250.0, 0, PART;
        "echo-atomics" "echo, atomic read-modify-writes", 0.0, 2, CALLS;
    }
    "echo-calls" ECHO.0, lengths(50, 150), By::Strace => {
        "echo-syscalls" "echo, system calls", 2.06, 3, CALLS;
    }
    "echo-heap" ECHO.0, ECHO.1, By::Heap => {
        "echo-allocations" "echo, heap allocations", 0.0, 3, CALLS;
    }
    "self-wake" Work::Alone("self-wake"), THOUSANDS, By::Callgrind => {
        "self-wake-instructions" "self-wake and re-poll [instr]", 105.0, 0, PART;
    }
    "spawn-join" Work::Alone("spawn-join"), THOUSANDS, By::Callgrind => {
        "spawn-join-instructions" "spawn + join of a ready task [instr]", 500.0, 0, PART;
    }
    "spawn-join-heap" Work::Alone("spawn-join"), lengths(1000, 3000), By::Heap => {
        "spawn-join-allocations" "spawn + join, heap allocations", f64::INFINITY, 2, CALLS;
    }
    "far-timer" Work::Alone("far-timer"), THOUSANDS, By::Callgrind => {
        "far-timer-instructions" "far timer, create + poll + drop [instr]", 150.0, 0, PART;
    }
    "sleep-calls" Work::Alone("sleep"), lengths(50, 150), By::Strace => {
        "sleep-syscalls" "sleep of 100 us, system calls", 1.0, 2, CALLS;
    }
    "foreign-wake" Work::Alone("foreign-wake"), lengths(0, 40), By::Told(&["writes", "fewest"]) => {
        "foreign-writes" "writes for 100 wakes from a thread", 2.0, 1, None;
        "foreign-writes-fewest" "the same, the fewest", 2.0, 0, WRITES;
    }
    "churn" Work::Churn, lengths(100, 300), By::Strace => {
        "churn-syscalls" "connection, system calls", 8.1, 1, CHURN;
    }
    "memory" Work::Churn, lengths(0, 10), By::Idle(&[1000.0, 5000.0]) => {
        "memory-1000" "idle connection, of 1000 [KiB]", 0.4, 2, MEMORY;
        "memory-5000" "idle connection, of 5000 [KiB]", 0.4, 2, MEMORY;
    }
}

pub(crate) fn rows() -> impl Iterator<Item = (&'static Family, &'static Row)> {
    FAMILIES.iter().flat_map(|family| family.rows.iter().map(move |row| (family, row)))
}

impl Family {
    /// The figures of a subject, one for each row; none where it has no tasks and needs some.
    pub(crate) fn count(&self, subject: &Subject) -> Result<Vec<Figure>, String> {
        let (name, work, lengths) = (subject.name, self.work, self.lengths);
        let plain = |value: f64| (value, String::new());
        if matches!(work, Work::Alone(_)) && !subject.tasks {
            return Ok(Vec::new());
        }
        Ok(match (&self.by, work) {
            (By::Callgrind, _) => counted::callgrind(name, work, lengths)?.map(plain).to_vec(),
            (By::Heap, _) => vec![plain(counted::allocations(name, work, lengths)?)],
            (By::Told(facts), Work::Alone(work)) => {
                // On one CPU in turns: the burst is not torn apart by the loop that it wakes.
                let told = process::in_turns(|| {
                    let mut command = Process::command(work, name, lengths.long)?;
                    Process::start(&mut command)?.facts()
                })?;
                let fact = |fact: &&str| plain(told.get(*fact).copied().unwrap_or(f64::NAN));
                facts.iter().map(fact).collect()
            }
            (By::Idle(sizes), _) => {
                let idle = workloads::named("idle").ok_or("no such workload")?;
                let each = |&size: &f64| {
                    let mut spec = idle.point(Placement::SameCpu);
                    (spec.milliseconds, spec.seed) = (lengths.long, 1);
                    name.clone_into(&mut spec.subject);
                    spec.set("connections", size);
                    let slice = slices::measure(&spec)?;
                    let bytes = slice.metrics.get("rss_above_buffer_bytes").copied();
                    let why = || format!("{:?}", slice.flags);
                    Ok::<_, String>(plain(bytes.ok_or_else(why)? / 1024.0))
                };
                sizes.iter().map(each).collect::<Result<_, _>>()?
            }
            (By::Strace | By::Told(_), _) => {
                let calls = counted::strace(name, work, lengths)?;
                let some = calls.iter().filter(|(_, count)| count.abs() >= 0.005);
                let list = some.map(|(name, count)| format!("{name} {count:.2}"));
                vec![(calls.values().sum(), list.collect::<Vec<_>>().join(", "))]
            }
        })
    }
}
