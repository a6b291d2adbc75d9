//! The rows of the table, with the numbers to reach.

use crate::Options;
use crate::measure;
use crate::sheet::Sheet;

/// One number of each subject.
pub(crate) struct Row {
    /// Its name on the command line and in the baseline.
    pub(crate) id: &'static str,
    /// What it is.
    pub(crate) what: &'static str,
    /// In what it is measured.
    pub(crate) unit: &'static str,
    /// What ours must reach.
    pub(crate) target: Target,
    /// Digits behind the point.
    pub(crate) digits: usize,
    /// How much worse than the baseline it may get before the gate closes; none if it is not
    /// deterministic enough to be a gate.
    pub(crate) slack: Option<Slack>,
}

/// What ours must reach.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// At most this.
    AtMost(f64),
    /// Not above this other subject, in the same run.
    NotAbove(&'static str),
    /// Shown for comparison.
    None,
}

/// How much worse than the baseline a count may get.
#[derive(Clone, Copy)]
pub(crate) enum Slack {
    /// By this part of it.
    Part(f64),
    /// By this much.
    Amount(f64),
}

/// Rows that one measurement fills.
pub(crate) struct Family {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Its rows.
    pub(crate) rows: &'static [Row],
    /// Measures all subjects and writes down the figures.
    pub(crate) measure: fn(&Options, &Family, &mut Sheet),
}

/// Every row with its family.
pub(crate) fn all() -> impl Iterator<Item = (&'static Family, &'static Row)> {
    FAMILIES
        .iter()
        .flat_map(|family| family.rows.iter().map(move |row| (family, row)))
}

const INSTRUCTIONS: Option<Slack> = Some(Slack::Part(0.05));
const CALLS: Option<Slack> = Some(Slack::Amount(0.05));
/// Waits are shared or not as the client's timing has it; a call more shows as one whole.
const CHURN: Option<Slack> = Some(Slack::Amount(0.4));
/// Resident pages, over a thousand connections and more.
const MEMORY: Option<Slack> = Some(Slack::Amount(0.05));
const WRITES: Option<Slack> = Some(Slack::Amount(0.5));

use Target::{AtMost, NotAbove};

/// A line for each row: name, what, unit, target, digits, slack; under the family that fills it.
macro_rules! families {
    ($($name:literal by $measure:path {
        $($id:literal $what:literal $unit:literal, $target:expr, $digits:literal, $slack:expr;)*
    })*) => {
        /// All rows, in the order of the table.
        pub(crate) static FAMILIES: &[Family] = &[$(Family {
            name: $name,
            rows: &[$(Row {
                id: $id,
                what: $what,
                unit: $unit,
                target: $target,
                digits: $digits,
                slack: $slack,
            },)*],
            measure: $measure,
        },)*];
    };
}

families! {
    "echo-counts" by measure::echo_counts {
        "echo-instructions" "echo, 64 connections" "instr", AtMost(250.0), 0, INSTRUCTIONS;
        "echo-atomics" "echo, atomic read-modify-writes" "", AtMost(0.0), 2, CALLS;
    }
    "echo-calls" by measure::echo_calls {
        "echo-syscalls" "echo, system calls" "", AtMost(2.06), 3, CALLS;
    }
    "echo-heap" by measure::echo_allocations {
        "echo-allocations" "echo, heap allocations" "", AtMost(0.0), 3, CALLS;
    }
    "self-wake" by measure::self_wake {
        "self-wake-instructions" "self-wake and re-poll" "instr", AtMost(100.0), 0, INSTRUCTIONS;
        "self-wake-time" "self-wake and re-poll" "ns", AtMost(10.0), 1, None;
    }
    "spawn-join" by measure::spawn_join {
        "spawn-join-instructions" "spawn + join of a ready task" "instr", AtMost(350.0), 0, INSTRUCTIONS;
        "spawn-join-time" "spawn + join of a ready task" "ns", AtMost(80.0), 1, None;
        "spawn-join-allocations" "spawn + join, heap allocations" "", Target::None, 2, CALLS;
    }
    "far-timer" by measure::far_timer {
        "far-timer-instructions" "far timer, create + poll + drop" "instr", AtMost(150.0), 0, INSTRUCTIONS;
        "far-timer-time" "far timer, create + poll + drop" "ns", AtMost(40.0), 1, None;
    }
    "sleep" by measure::sleep {
        "sleep-time" "sleep(100 us), median" "us", AtMost(190.0), 0, None;
        "sleep-early" "sleeps that were too short" "", AtMost(0.0), 0, None;
    }
    "sleep-calls" by measure::sleep_calls {
        "sleep-syscalls" "sleep, system calls" "", AtMost(1.0), 2, CALLS;
    }
    "foreign-wake" by measure::foreign_wake {
        "foreign-writes" "writes for 100 wakes from a thread" "", AtMost(2.0), 1, None;
        "foreign-writes-fewest" "the same, the fewest" "", AtMost(2.0), 0, WRITES;
    }
    "churn" by measure::churn {
        "churn-syscalls" "connection, system calls" "", AtMost(9.0), 1, CHURN;
    }
    "memory" by measure::memory {
        "memory-1000" "idle connection, of 1000" "KiB", AtMost(0.4), 2, MEMORY;
        "memory-5000" "idle connection, of 5000" "KiB", AtMost(0.4), 2, MEMORY;
    }
    "round-trip" by measure::round_trip {
        "round-trip" "round trip, 1 connection, other core" "us", Target::None, 1, None;
        "round-trip-spin" "the same, spinning on" "us", AtMost(20.0), 1, None;
    }
    "echo-cpu" by measure::cpu {
        "echo-cpu-1" "echo, server CPU, 1 connection" "x bare", NotAbove("tokio"), 3, None;
        "echo-cpu-64" "echo, server CPU, 64 connections" "x bare", AtMost(1.02), 3, None;
        "echo-cpu-1000" "echo, server CPU, 1000" "x bare", NotAbove("tokio"), 3, None;
        "echo-cpu-9000" "echo, server CPU, 9000" "x bare", NotAbove("tokio"), 3, None;
    }
}
