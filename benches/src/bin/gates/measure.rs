//! One function a family of rows: measures each subject and writes the figures down.

use std::collections::BTreeMap;

use benches::counted::{self, Lengths, Work};
use benches::process::Placement;
use benches::subject::Subject;
use benches::{stats, timed};

use crate::arguments::{Arguments, Operation};
use crate::sheet::{Figure, Sheet};

const ECHO: Work = Work::Echo { connections: 64 };

/// Rounds of 64 echoes; the long run is long enough for what happens every few hundred.
const ECHO_ROUNDS: Lengths = Lengths {
    short: 100,
    long: 400,
};
/// Under strace every call costs two switches of process, and calls need no long average.
const TRACED_ROUNDS: Lengths = Lengths {
    short: 50,
    long: 150,
};

/// Operations of the executor, thousands of which take no time.
const EXECUTOR_LENGTHS: Lengths = Lengths {
    short: 5000,
    long: 15_000,
};

pub(crate) fn echo_counts(arguments: &Arguments, sheet: &mut Sheet) {
    each(
        arguments,
        sheet,
        &["echo-instructions", "echo-atomics"],
        |subject| {
            let profile = counted::callgrind(subject.name, ECHO, ECHO_ROUNDS)?;
            Ok(vec![profile.instructions.into(), profile.locked.into()])
        },
    );
}

pub(crate) fn echo_calls(arguments: &Arguments, sheet: &mut Sheet) {
    each(arguments, sheet, &["echo-syscalls"], |subject| {
        counted::strace(subject.name, ECHO, TRACED_ROUNDS).map(|calls| vec![by_name(&calls)])
    });
}

pub(crate) fn echo_allocations(arguments: &Arguments, sheet: &mut Sheet) {
    each(arguments, sheet, &["echo-allocations"], |subject| {
        let count = counted::allocations(subject.name, ECHO, ECHO_ROUNDS)?;
        Ok(vec![count.into()])
    });
}

pub(crate) fn self_wake(arguments: &Arguments, sheet: &mut Sheet) {
    each(
        arguments,
        sheet,
        &["self-wake-instructions", "self-wake-time"],
        |subject| executor(arguments, subject, "self-wake", 1_000_000),
    );
}

pub(crate) fn spawn_join(arguments: &Arguments, sheet: &mut Sheet) {
    let rows = [
        "spawn-join-instructions",
        "spawn-join-time",
        "spawn-join-allocations",
    ];
    each(arguments, sheet, &rows, |subject| {
        let mut figures = executor(arguments, subject, "spawn-join", 200_000)?;
        if figures.len() == 2 {
            let lengths = Lengths {
                short: 1000,
                long: 3000,
            };
            let work = Work::Alone("spawn-join");
            figures.push(counted::allocations(subject.name, work, lengths)?.into());
        }
        Ok(figures)
    });
}

pub(crate) fn far_timer(arguments: &Arguments, sheet: &mut Sheet) {
    each(
        arguments,
        sheet,
        &["far-timer-instructions", "far-timer-time"],
        |subject| executor(arguments, subject, "far-timer", 200_000),
    );
}

pub(crate) fn sleep(arguments: &Arguments, sheet: &mut Sheet) {
    let count = if arguments.quick { 300 } else { 1500 };
    each(
        arguments,
        sheet,
        &["sleep-time", "sleep-early"],
        |subject| {
            if subject.tasks.is_none() {
                return Ok(Vec::new());
            }
            let facts = timed::facts(subject.name, "sleep", count)?;
            let fact = |name| facts.get(name).copied().unwrap_or(f64::NAN);
            let shortest = format!("shortest {:.1}", fact("shortest"));
            Ok(vec![
                Figure {
                    value: fact("median"),
                    note: shortest,
                },
                fact("early").into(),
            ])
        },
    );
}

pub(crate) fn sleep_calls(arguments: &Arguments, sheet: &mut Sheet) {
    each(arguments, sheet, &["sleep-syscalls"], |subject| {
        if subject.tasks.is_none() {
            return Ok(Vec::new());
        }
        let lengths = Lengths {
            short: 50,
            long: 150,
        };
        let calls = counted::strace(subject.name, Work::Alone("sleep"), lengths)?;
        Ok(vec![by_name(&calls)])
    });
}

pub(crate) fn foreign_wake(arguments: &Arguments, sheet: &mut Sheet) {
    each(arguments, sheet, &["foreign-writes"], |subject| {
        if subject.tasks.is_none() {
            return Ok(Vec::new());
        }
        // On one CPU in turns: the burst is not torn apart by the loop that it wakes.
        let writes =
            Placement::OneCpu.run(|| timed::fact(subject.name, "foreign-wake", 20, "writes"));
        Ok(vec![writes?.into()])
    });
}

pub(crate) fn churn(arguments: &Arguments, sheet: &mut Sheet) {
    each(arguments, sheet, &["churn-syscalls"], |subject| {
        let lengths = Lengths {
            short: 100,
            long: 300,
        };
        let calls = counted::strace(subject.name, Work::Churn, lengths)?;
        Ok(vec![by_name(&calls)])
    });
}

pub(crate) fn memory(arguments: &Arguments, sheet: &mut Sheet) {
    let sizes: &[usize] = if arguments.quick {
        &[1000]
    } else {
        &[1000, 5000]
    };
    each(
        arguments,
        sheet,
        &["memory-1000", "memory-5000"],
        |subject| {
            let bytes =
                |&count| timed::memory_per_connection(subject.name, count, subject.own_buffer);
            sizes
                .iter()
                .map(|size| Ok((bytes(size)? / 1024.0).into()))
                .collect()
        },
    );
}

pub(crate) fn round_trip(arguments: &Arguments, sheet: &mut Sheet) {
    let rounds = if arguments.quick { 2000 } else { 10_000 };
    each(
        arguments,
        sheet,
        &["round-trip", "round-trip-spin"],
        |subject| {
            let mut figures = vec![timed::round_trip(subject.name, rounds)?.into()];
            if let Some(spinning) = subject.spinning {
                figures.push(timed::round_trip(spinning, rounds)?.into());
            }
            Ok(figures)
        },
    );
}

/// Prints where the instructions of an operation go, for each subject.
pub(crate) fn profile(arguments: &Arguments, operation: Operation) -> Result<(), String> {
    let (name, work, lengths) = match operation {
        Operation::Echo => ("echo", ECHO, ECHO_ROUNDS),
        Operation::Alone(name) => (name, Work::Alone(name), EXECUTOR_LENGTHS),
    };
    for subject in &arguments.subjects {
        if work != ECHO && subject.tasks.is_none() {
            continue;
        }
        let profile = counted::callgrind(subject.name, work, lengths)?;
        println!(
            "{}, {name}: {:.1} instructions",
            subject.name, profile.instructions
        );
        for (function, count) in profile.functions.iter().take(25) {
            println!("{count:9.2}  {function}");
        }
        for (line, count) in profile.lines.iter().take(60) {
            println!("{count:9.2}  {line}");
        }
    }
    Ok(())
}

/// Instructions and nanoseconds of a work of the executor.
fn executor(
    arguments: &Arguments,
    subject: &Subject,
    work: &'static str,
    count: u64,
) -> Result<Vec<Figure>, String> {
    if subject.tasks.is_none() {
        return Ok(Vec::new());
    }
    let profile = counted::callgrind(subject.name, Work::Alone(work), EXECUTOR_LENGTHS)?;
    let runs = if arguments.quick { 3 } else { 9 };
    let times: Result<Vec<f64>, String> = (0..runs)
        .map(|_| timed::fact(subject.name, work, count, "nanoseconds"))
        .collect();
    Ok(vec![
        profile.instructions.into(),
        stats::median(&times?).into(),
    ])
}

/// Measures each subject and writes its figures into the rows; fewer figures than rows leave the
/// last rows empty, a failure leaves them all empty and is printed.
fn each(
    arguments: &Arguments,
    sheet: &mut Sheet,
    rows: &[&'static str],
    measure: impl Fn(&Subject) -> Result<Vec<Figure>, String>,
) {
    for subject in &arguments.subjects {
        eprintln!("gates: {} of {}", rows.join(", "), subject.name);
        match measure(subject) {
            Ok(figures) => {
                for (row, figure) in rows.iter().zip(figures) {
                    sheet.enter(row, subject.name, figure);
                }
            }
            Err(problem) => eprintln!("gates: {}: {problem}", subject.name),
        }
    }
}

/// The sum of the calls, with the calls by name as its note.
fn by_name(calls: &BTreeMap<String, f64>) -> Figure {
    let list: Vec<String> = calls
        .iter()
        .filter(|(_, count)| count.abs() >= 0.005)
        .map(|(name, count)| format!("{name} {count:.2}"))
        .collect();
    Figure {
        value: calls.values().sum(),
        note: list.join(", "),
    }
}
