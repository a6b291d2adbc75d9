//! The rows of the table, with the numbers to reach.

use crate::arguments::Arguments;
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
    pub(crate) measure: fn(&Arguments, &mut Sheet),
}

/// The family that a row belongs to.
pub(crate) fn family_of(row: &Row) -> &'static str {
    all()
        .find(|(_, other)| other.id == row.id)
        .map_or("", |(family, _)| family.name)
}

/// Every row with its family.
pub(crate) fn all() -> impl Iterator<Item = (&'static Family, &'static Row)> {
    FAMILIES
        .iter()
        .flat_map(|family| family.rows.iter().map(move |row| (family, row)))
}

const INSTRUCTIONS: Option<Slack> = Some(Slack::Part(0.05));
const CALLS: Option<Slack> = Some(Slack::Amount(0.05));

const fn row(
    id: &'static str,
    what: &'static str,
    unit: &'static str,
    target: Target,
    digits: usize,
    slack: Option<Slack>,
) -> Row {
    Row {
        id,
        what,
        unit,
        target,
        digits,
        slack,
    }
}

use Target::{AtMost, NotAbove};

/// All rows, in the order of the table.
pub(crate) static FAMILIES: &[Family] = &[
    Family {
        name: "echo-counts",
        rows: &[
            row(
                "echo-instructions",
                "echo, 64 connections",
                "instr",
                AtMost(250.0),
                0,
                INSTRUCTIONS,
            ),
            row(
                "echo-atomics",
                "echo, atomic read-modify-writes",
                "",
                AtMost(0.0),
                2,
                CALLS,
            ),
        ],
        measure: measure::echo_counts,
    },
    Family {
        name: "echo-calls",
        rows: &[row(
            "echo-syscalls",
            "echo, system calls",
            "",
            AtMost(2.06),
            3,
            CALLS,
        )],
        measure: measure::echo_calls,
    },
    Family {
        name: "echo-heap",
        rows: &[row(
            "echo-allocations",
            "echo, heap allocations",
            "",
            AtMost(0.0),
            3,
            CALLS,
        )],
        measure: measure::echo_allocations,
    },
    Family {
        name: "self-wake",
        rows: &[
            row(
                "self-wake-instructions",
                "self-wake and re-poll",
                "instr",
                AtMost(100.0),
                0,
                INSTRUCTIONS,
            ),
            row(
                "self-wake-time",
                "self-wake and re-poll",
                "ns",
                AtMost(10.0),
                1,
                None,
            ),
        ],
        measure: measure::self_wake,
    },
    Family {
        name: "spawn-join",
        rows: &[
            row(
                "spawn-join-instructions",
                "spawn + join of a ready task",
                "instr",
                AtMost(350.0),
                0,
                INSTRUCTIONS,
            ),
            row(
                "spawn-join-time",
                "spawn + join of a ready task",
                "ns",
                AtMost(80.0),
                1,
                None,
            ),
            row(
                "spawn-join-allocations",
                "spawn + join, heap allocations",
                "",
                Target::None,
                2,
                CALLS,
            ),
        ],
        measure: measure::spawn_join,
    },
    Family {
        name: "far-timer",
        rows: &[
            row(
                "far-timer-instructions",
                "far timer, create + poll + drop",
                "instr",
                AtMost(150.0),
                0,
                INSTRUCTIONS,
            ),
            row(
                "far-timer-time",
                "far timer, create + poll + drop",
                "ns",
                AtMost(40.0),
                1,
                None,
            ),
        ],
        measure: measure::far_timer,
    },
    Family {
        name: "sleep",
        rows: &[
            row(
                "sleep-time",
                "sleep(100 us), median",
                "us",
                AtMost(190.0),
                0,
                None,
            ),
            row(
                "sleep-early",
                "sleeps that were too short",
                "",
                AtMost(0.0),
                0,
                None,
            ),
        ],
        measure: measure::sleep,
    },
    Family {
        name: "sleep-calls",
        rows: &[row(
            "sleep-syscalls",
            "sleep, system calls",
            "",
            AtMost(1.0),
            2,
            CALLS,
        )],
        measure: measure::sleep_calls,
    },
    Family {
        name: "foreign-wake",
        rows: &[
            row(
                "foreign-writes",
                "writes for 100 wakes from a thread",
                "",
                AtMost(2.0),
                1,
                None,
            ),
            row(
                "foreign-writes-fewest",
                "the same, the fewest",
                "",
                AtMost(2.0),
                0,
                Some(Slack::Amount(0.5)),
            ),
        ],
        measure: measure::foreign_wake,
    },
    Family {
        name: "churn",
        rows: &[row(
            "churn-syscalls",
            "connection, system calls",
            "",
            AtMost(10.0),
            1,
            // Waits are shared or not as the client's timing has it; a call more shows as one whole.
            Some(Slack::Amount(0.4)),
        )],
        measure: measure::churn,
    },
    Family {
        name: "memory",
        rows: &[
            row(
                "memory-1000",
                "idle connection, of 1000",
                "KiB",
                AtMost(0.4),
                2,
                None,
            ),
            row(
                "memory-5000",
                "idle connection, of 5000",
                "KiB",
                AtMost(0.4),
                2,
                None,
            ),
        ],
        measure: measure::memory,
    },
    Family {
        name: "round-trip",
        rows: &[
            row(
                "round-trip",
                "round trip, 1 connection, other core",
                "us",
                Target::None,
                1,
                None,
            ),
            row(
                "round-trip-spin",
                "the same, spinning on",
                "us",
                AtMost(20.0),
                1,
                None,
            ),
        ],
        measure: measure::round_trip,
    },
    Family {
        name: "echo-cpu",
        rows: &[
            row(
                "echo-cpu-1",
                "echo, server CPU, 1 connection",
                "x bare",
                NotAbove("tokio"),
                3,
                None,
            ),
            row(
                "echo-cpu-64",
                "echo, server CPU, 64 connections",
                "x bare",
                AtMost(1.02),
                3,
                None,
            ),
            row(
                "echo-cpu-1000",
                "echo, server CPU, 1000",
                "x bare",
                NotAbove("tokio"),
                3,
                None,
            ),
            row(
                "echo-cpu-9000",
                "echo, server CPU, 9000",
                "x bare",
                NotAbove("tokio"),
                3,
                None,
            ),
        ],
        measure: crate::cpu::measure,
    },
];
