//! One function a family of rows: measures each subject and writes the figures down. Counts are taken
//! under callgrind and strace; everything else by a workload of `selbench`.

use std::collections::BTreeMap;

use benches::method::counted::{self, Lengths, Work};
use benches::method::process::{self, Process};
use benches::method::schema::Spec;
use benches::method::session::{Plan, Session};
use benches::method::{placement::Placement, slices, statistics};
use benches::subjects::subject::{BARE, Subject};
use benches::workloads;

use crate::Options;
use crate::rows::Family;
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

/// The figures of a subject.
type Figures = Result<Vec<Figure>, String>;

pub(crate) fn echo_counts(options: &Options, family: &Family, sheet: &mut Sheet) {
    each(options, family, sheet, |subject| {
        let profile = counted::callgrind(subject.name, ECHO, ECHO_ROUNDS)?;
        Ok(vec![profile.instructions.into(), profile.locked.into()])
    });
}

pub(crate) fn echo_calls(options: &Options, family: &Family, sheet: &mut Sheet) {
    each(options, family, sheet, |subject| {
        traced(subject, ECHO, TRACED_ROUNDS)
    });
}

pub(crate) fn echo_allocations(options: &Options, family: &Family, sheet: &mut Sheet) {
    each(options, family, sheet, |subject| {
        Ok(vec![
            counted::allocations(subject.name, ECHO, ECHO_ROUNDS)?.into(),
        ])
    });
}

pub(crate) fn self_wake(options: &Options, family: &Family, sheet: &mut Sheet) {
    tasks(options, family, sheet, |subject| {
        executor(options, subject, "self-wake", 1_000_000)
    });
}

pub(crate) fn spawn_join(options: &Options, family: &Family, sheet: &mut Sheet) {
    tasks(options, family, sheet, |subject| {
        let mut figures = executor(options, subject, "spawn-join", 200_000)?;
        let lengths = Lengths {
            short: 1000,
            long: 3000,
        };
        figures
            .push(counted::allocations(subject.name, Work::Alone("spawn-join"), lengths)?.into());
        Ok(figures)
    });
}

pub(crate) fn far_timer(options: &Options, family: &Family, sheet: &mut Sheet) {
    tasks(options, family, sheet, |subject| {
        executor(options, subject, "far-timer", 200_000)
    });
}

pub(crate) fn sleep(options: &Options, family: &Family, sheet: &mut Sheet) {
    let count = if options.quick { 300 } else { 1500 };
    tasks(options, family, sheet, |subject| {
        let facts = facts(subject, "sleep", count)?;
        let note = format!("shortest {:.1}", fact(&facts, "shortest"));
        Ok(vec![
            Figure {
                value: fact(&facts, "median"),
                note,
            },
            fact(&facts, "early").into(),
        ])
    });
}

pub(crate) fn sleep_calls(options: &Options, family: &Family, sheet: &mut Sheet) {
    tasks(options, family, sheet, |subject| {
        traced(subject, Work::Alone("sleep"), TRACED_ROUNDS)
    });
}

pub(crate) fn foreign_wake(options: &Options, family: &Family, sheet: &mut Sheet) {
    tasks(options, family, sheet, |subject| {
        // On one CPU in turns: the burst is not torn apart by the loop that it wakes.
        let facts = process::in_turns(|| facts(subject, "foreign-wake", 40))?;
        Ok(vec![
            fact(&facts, "writes").into(),
            fact(&facts, "fewest").into(),
        ])
    });
}

pub(crate) fn churn(options: &Options, family: &Family, sheet: &mut Sheet) {
    let lengths = Lengths {
        short: 100,
        long: 300,
    };
    each(options, family, sheet, |subject| {
        traced(subject, Work::Churn, lengths)
    });
}

pub(crate) fn memory(options: &Options, family: &Family, sheet: &mut Sheet) {
    let sizes: &[f64] = if options.quick {
        &[1000.0]
    } else {
        &[1000.0, 5000.0]
    };
    each(options, family, sheet, |subject| {
        let bytes = |&size: &f64| {
            let mut spec = point("idle", Placement::SameCpu, 10)?;
            spec.set("connections", size);
            let bytes = told(spec, subject.name, "rss_above_buffer_bytes")?;
            Ok((bytes / 1024.0).into())
        };
        sizes.iter().map(bytes).collect()
    });
}

pub(crate) fn round_trip(options: &Options, family: &Family, sheet: &mut Sheet) {
    let milliseconds = if options.quick { 200 } else { 1000 };
    each(options, family, sheet, |subject| {
        let trip = |name: &str, placement: Placement| {
            let mut spec = point("echo", placement, milliseconds)?;
            for (parameter, value) in [("connections", 1.0), ("depth", 1.0), ("size", 64.0)] {
                spec.set(parameter, value);
            }
            Ok::<Figure, String>((told(spec, name, "service_p50_ns")? / 1e3).into())
        };
        let mut figures = vec![trip(subject.name, Placement::Split)?];
        if let Some(spinning) = subject.spinning {
            // The client sleeps: what is shown is the server's spinning.
            figures.push(trip(spinning, Placement::Split)?);
        }
        Ok(figures)
    });
}

/// Server CPU per echo against the bare loop: paired within blocks, interleaved, bootstrapped. `bare
/// again` is the noise that the run could not exclude.
pub(crate) fn cpu(options: &Options, family: &Family, sheet: &mut Sheet) {
    for row in family
        .rows
        .iter()
        .filter(|row| options.wants(family.name, row))
    {
        let connections = row
            .id
            .rsplit('-')
            .next()
            .and_then(|count| count.parse::<f64>().ok())
            .unwrap_or(1.0);
        if options.quick && connections > 64.0 {
            continue;
        }
        let others = options.subjects.iter().filter(|one| one.name != BARE);
        let able = others.filter(|one| connections <= 1000.0 || !one.linear);
        let names: Vec<&'static str> = [BARE].into_iter().chain(able.map(|one| one.name)).collect();
        let enter = |sheet: &mut Sheet| -> Result<(), String> {
            let mut spec = point(
                "scaling",
                Placement::SameCpu,
                if options.quick { 100 } else { 300 },
            )?;
            spec.set("connections", connections);
            spec.set("active_percent", 100.0);
            let subjects = names.iter().map(|name| (*name).to_owned()).collect();
            let blocks = if options.quick { 4 } else { 8 };
            let mut session = Session::begin(3.0)?;
            session.measure(&Plan {
                points: vec![spec],
                subjects,
                blocks,
                floor: true,
                null: |_| None,
            });
            let document = session.finish();
            sheet.enter(row.id, BARE, 1.0.into());
            for one in &document.comparisons {
                let note = format!(
                    "[{}], {}",
                    one.interval(", "),
                    one.verdict.words(one.threshold)
                );
                let name = names.iter().find(|name| **name == one.subject).copied();
                let figure = Figure {
                    value: one.ratio,
                    note,
                };
                sheet.enter(row.id, name.unwrap_or("bare again"), figure);
            }
            Ok(())
        };
        if let Err(problem) = enter(sheet) {
            eprintln!("gates: {}: {problem}", row.id);
        }
    }
}

/// Prints where the instructions of an operation go, for each subject.
pub(crate) fn profile(options: &Options, work: &'static str) -> Result<(), String> {
    let (of, lengths) = match work {
        "echo" => (ECHO, ECHO_ROUNDS),
        name => (Work::Alone(name), EXECUTOR_LENGTHS),
    };
    for subject in options
        .subjects
        .iter()
        .filter(|subject| work == "echo" || subject.tasks)
    {
        let profile = counted::callgrind(subject.name, of, lengths)?;
        println!(
            "{}, {work}: {:.1} instructions",
            subject.name, profile.instructions
        );
        let lines = profile.lines.iter().take(60);
        for (name, count) in profile.functions.iter().take(25).chain(lines) {
            println!("{count:9.2}  {name}");
        }
    }
    Ok(())
}

fn point(workload: &str, placement: Placement, milliseconds: u64) -> Result<Spec, String> {
    let workload = workloads::named(workload).ok_or("no such workload")?;
    Ok(Spec {
        milliseconds,
        seed: 1,
        ..workload.point(placement)
    })
}

/// A metric of one slice; why it cannot be told, if it cannot.
fn told(spec: Spec, subject: &str, metric: &str) -> Result<f64, String> {
    let slice = slices::measure(&Spec {
        subject: subject.to_owned(),
        ..spec
    })?;
    let why = || {
        slice
            .flags
            .iter()
            .map(|flag| flag.detail.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    slice
        .metrics
        .get(metric)
        .copied()
        .ok_or_else(|| format!("no {metric}: {}", why()))
}

/// The calls of a work, with the calls by name as the note of their sum.
fn traced(subject: &Subject, work: Work, lengths: Lengths) -> Figures {
    let calls = counted::strace(subject.name, work, lengths)?;
    let some = calls.iter().filter(|(_, count)| count.abs() >= 0.005);
    let list: Vec<String> = some
        .map(|(name, count)| format!("{name} {count:.2}"))
        .collect();
    Ok(vec![Figure {
        value: calls.values().sum(),
        note: list.join(", "),
    }])
}

/// Instructions and nanoseconds of a work of the executor.
fn executor(options: &Options, subject: &Subject, work: &'static str, count: u64) -> Figures {
    let profile = counted::callgrind(subject.name, Work::Alone(work), EXECUTOR_LENGTHS)?;
    let runs = match options.quick {
        _ if options.counts_only() => 1,
        true => 3,
        false => 9,
    };
    let time = |_| Ok(fact(&facts(subject, work, count)?, "nanoseconds"));
    let times: Result<Vec<f64>, String> = (0..runs).map(time).collect();
    Ok(vec![
        profile.instructions.into(),
        statistics::median(&times?).into(),
    ])
}

/// All facts of a work without sockets, run plainly.
fn facts(subject: &Subject, work: &str, count: u64) -> Result<BTreeMap<String, f64>, String> {
    Process::start(&mut Process::command(work, subject.name, count)?)?.facts()
}

fn fact(facts: &BTreeMap<String, f64>, name: &str) -> f64 {
    facts.get(name).copied().unwrap_or(f64::NAN)
}

/// Measures each subject that has tasks.
fn tasks(
    options: &Options,
    family: &Family,
    sheet: &mut Sheet,
    measure: impl Fn(&Subject) -> Figures,
) {
    each(options, family, sheet, |subject| {
        if subject.tasks {
            measure(subject)
        } else {
            Ok(Vec::new())
        }
    });
}

/// Measures each subject and writes its figures into the rows; fewer figures than rows leave the
/// last rows empty, a failure leaves them all empty and is printed.
fn each(
    options: &Options,
    family: &Family,
    sheet: &mut Sheet,
    measure: impl Fn(&Subject) -> Figures,
) {
    for subject in &options.subjects {
        eprintln!("gates: {} of {}", family.name, subject.name);
        match measure(subject) {
            Ok(figures) => {
                for (row, figure) in family.rows.iter().zip(figures) {
                    sheet.enter(row.id, subject.name, figure);
                }
            }
            Err(problem) => eprintln!("gates: {}: {problem}", subject.name),
        }
    }
}
