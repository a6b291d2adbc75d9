//! From a command line to the points that are measured and the subjects that are compared.

use std::collections::BTreeMap;
use std::io::Write;

use benches::selbench::placement::Placement;
use benches::selbench::ring::{Ring as TokenRing, Shape};
use benches::selbench::schema::{Spec, Workload};
use benches::selbench::server;
use benches::selbench::{dispatch, sockets};
use benches::subject::Subject;
use benches::subjects;

use crate::arguments::{Common, Compare, Echo, Map, Register, Ring, Wire};
use crate::programs::Program;

/// What a session measures: every subject at every point, in every block.
#[derive(Clone)]
pub(crate) struct Plan {
    /// Specs without a subject.
    pub(crate) points: Vec<Spec>,
    /// The first one is what the others are compared with.
    pub(crate) subjects: Vec<String>,
    /// Interleaved blocks.
    pub(crate) blocks: usize,
}

/// A point without a subject.
pub(crate) fn point(
    workload: Workload,
    placement: Placement,
    common: &Common,
    numbers: &[(&str, f64)],
    words: &[(&str, &str)],
) -> Spec {
    let owned = |(name, value): &(&str, f64)| ((*name).to_owned(), *value);
    let word = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Spec {
        workload,
        subject: String::new(),
        placement,
        parameters: numbers.iter().map(owned).collect(),
        choices: words.iter().map(word).collect::<BTreeMap<_, _>>(),
        milliseconds: common.ms.max(1),
        block: 0,
        seed: common.seed,
        server: None,
        server_program: None,
        baseline: String::new(),
        fault: None,
    }
}

/// Selectors that were asked for, or the usual ones.
fn selectors(common: &Common) -> Result<Vec<String>, String> {
    let names = || dispatch::ALL.iter().map(|kind| (kind.name, kind.about));
    let usual = dispatch::ALL.iter().filter(|kind| kind.usual);
    choose(
        common,
        &names().collect::<Vec<_>>(),
        usual.map(|kind| kind.name),
    )
}

/// Runtimes that were asked for, or the usual ones. Whether they spin is the placement's to say,
/// for it is what a row tells.
fn runtimes(common: &Common, placement: Placement) -> Result<Vec<String>, String> {
    let spin = placement == Placement::SpinSpin;
    let all = subjects::all();
    let names: Vec<_> = all.iter().map(|one| (one.name, one.about)).collect();
    let wrong = |name: &&String| Subject::named(name).is_some_and(|one| one.spins != spin);
    if let Some(wrong) = common.subjects.iter().find(wrong) {
        return Err(if spin {
            format!("{wrong} sleeps: spin-spin is for subjects that spin, and for --server")
        } else {
            format!("{wrong} spins: its placement is spin-spin")
        });
    }
    if spin {
        let usual = all.iter().filter(|one| one.spins).map(|one| one.name);
        return choose(common, &names, usual);
    }
    let usual = [
        "bare",
        "ours",
        "ours-level",
        "ours-poll",
        "ours-select",
        "mio",
        "tokio",
        "smol",
    ];
    choose(
        common,
        &names,
        usual
            .into_iter()
            .filter(|name| Subject::named(name).is_some()),
    )
}

/// Everything that serves and sleeps that was asked for, or all that is in the usual tables: the
/// bare loop first.
pub(crate) fn servers(common: &Common) -> Result<Vec<String>, String> {
    let sleeping = subjects::all().iter().filter(|one| !one.spins);
    let all: Vec<_> = sleeping.map(|one| (one.name, one.about)).collect();
    let usual = subjects::all().iter().filter(|one| !one.spins && one.shown);
    choose(common, &all, usual.map(|one| one.name))
}

/// Everything with timers that was asked for, or all that is in the usual tables: the bare loop
/// first.
pub(crate) fn cascaders(common: &Common) -> Result<Vec<String>, String> {
    let timed = || {
        subjects::all()
            .iter()
            .filter(|one| one.cascade.is_some() && !one.spins)
    };
    let all: Vec<_> = timed().map(|one| (one.name, one.about)).collect();
    choose(
        common,
        &all,
        timed().filter(|one| one.shown).map(|one| one.name),
    )
}

/// Whoever accepts connections that come and go: those that were asked for, or all that are in the
/// usual tables, the bare loop first; or the server at an address.
pub(crate) fn dialled(
    common: &Common,
    placement: Placement,
    address: Option<&str>,
) -> Result<Vec<String>, String> {
    if !placement.possible() {
        return Err(format!("{} needs two CPUs", placement.name()));
    }
    if let Some(address) = address {
        server::loopback(address)?;
        return Ok(vec![address.to_owned()]);
    }
    let accepting = || {
        subjects::all()
            .iter()
            .filter(|one| one.accept.is_some() && !one.spins)
    };
    let all: Vec<_> = accepting().map(|one| (one.name, one.about)).collect();
    choose(
        common,
        &all,
        accepting().filter(|one| one.shown).map(|one| one.name),
    )
}

/// Runtimes with tasks that were asked for, or the usual ones: ours first, for the bare loop has no
/// tasks to compare with.
pub(crate) fn executors(common: &Common) -> Result<Vec<String>, String> {
    let all: Vec<_> = subjects::all()
        .iter()
        .filter(|one| one.tasks.is_some())
        .map(|one| (one.name, one.about))
        .collect();
    let usual = ["ours", "tokio", "smol", "monoio"].into_iter();
    let known = |name: &&str| all.iter().any(|(one, _)| one == name);
    choose(common, &all, usual.filter(known))
}

fn choose(
    common: &Common,
    all: &[(&str, &str)],
    usual: impl Iterator<Item = &'static str>,
) -> Result<Vec<String>, String> {
    if common.subjects.is_empty() {
        return Ok(usual.map(str::to_owned).collect());
    }
    let known = |name: &String| all.iter().any(|(other, _)| other == name);
    if let Some(unknown) = common.subjects.iter().find(|name| !known(name)) {
        let lines: Vec<String> = all
            .iter()
            .map(|(name, about)| format!("  {name:20} {about}"))
            .collect();
        return Err(format!(
            "no subject is named {unknown}; there are:\n{}",
            lines.join("\n")
        ));
    }
    Ok(common.subjects.clone())
}

/// The points of `ring`.
pub(crate) fn ring(options: &Ring) -> Result<Plan, String> {
    let common = &options.common;
    let mut points = Vec::new();
    for &registered in &options.registered {
        for &active in options
            .active
            .iter()
            .filter(|&&active| active <= registered)
        {
            points.push(ring_point(
                common,
                registered,
                active,
                options.writes,
                &options.transport,
            ));
        }
    }
    Ok(Plan {
        points,
        subjects: selectors(common)?,
        blocks: common.blocks,
    })
}

/// A ring of so many.
pub(crate) fn ring_point(
    common: &Common,
    registered: usize,
    active: usize,
    writes: Option<usize>,
    transport: &str,
) -> Spec {
    let writes = writes.unwrap_or(100 * active).max(active);
    let numbers = [
        ("registered", registered as f64),
        ("active", active as f64),
        ("writes", writes as f64),
    ];
    let words = [("transport", transport)];
    point(
        Workload::Ring,
        Placement::OneThread,
        common,
        &numbers,
        &words,
    )
}

/// Prints what libevent's bench prints.
pub(crate) fn compatible(options: &Ring) -> Result<(), String> {
    let subjects = selectors(&options.common)?;
    let subject = if options.common.subjects.is_empty() {
        "ours-epoll"
    } else {
        &subjects[0]
    };
    let kind = dispatch::named(subject).ok_or("no such selector")?;
    let registered = options.registered.first().copied().unwrap_or(100).max(1);
    let shape = Shape {
        registered,
        active: options
            .active
            .first()
            .copied()
            .unwrap_or(1)
            .clamp(1, registered),
        writes: options.writes.unwrap_or(registered).max(1),
    };
    let told = |error: std::io::Error| error.to_string();
    let mut ring = TokenRing::new(kind, &options.transport, shape).map_err(told)?;
    for _ in 0..25 {
        let micros = ring.compatible().map_err(told)?.as_micros();
        // Whoever cuts the output short has seen enough.
        if writeln!(std::io::stdout(), "{micros}").is_err() {
            break;
        }
    }
    Ok(())
}

/// The one point of `map`.
pub(crate) fn map(options: &Map) -> Result<Plan, String> {
    Ok(Plan {
        points: vec![map_point(&options.common, options.most, &options.transport)],
        subjects: selectors(&options.common)?,
        blocks: options.common.blocks,
    })
}

/// A map up to so many.
pub(crate) fn map_point(common: &Common, most: usize, transport: &str) -> Spec {
    let numbers = [("most", most as f64)];
    let words = [("transport", transport)];
    point(
        Workload::Map,
        Placement::OneThread,
        common,
        &numbers,
        &words,
    )
}

/// The points of `register`.
pub(crate) fn register(options: &Register) -> Result<Plan, String> {
    let common = &options.common;
    let mut points = Vec::new();
    for operation in &options.operations {
        for &registered in &options.registered {
            let numbers = [("registered", registered as f64)];
            let words = [
                ("operation", operation.as_str()),
                ("transport", options.transport.as_str()),
            ];
            points.push(point(
                Workload::Register,
                Placement::OneThread,
                common,
                &numbers,
                &words,
            ));
        }
    }
    Ok(Plan {
        points,
        subjects: selectors(common)?,
        blocks: common.blocks,
    })
}

/// The points of `echo`.
pub(crate) fn echo(options: &Echo) -> Result<Plan, String> {
    wired(
        Workload::Echo,
        &options.common,
        &options.wire,
        Placement::SameCpu,
    )
}

/// The points of a client and a server; those of `load` have no rate yet.
pub(crate) fn wired(
    workload: Workload,
    common: &Common,
    wire: &Wire,
    usual: Placement,
) -> Result<Plan, String> {
    let placement = match &wire.placement {
        Some(name) => Placement::named(name).ok_or("no such placement")?,
        None => usual,
    };
    if !placement.possible() {
        return Err(format!("{} needs two CPUs", placement.name()));
    }
    if let Some(address) = &wire.server {
        server::loopback(address)?;
    }
    let mut points = Vec::new();
    for &connections in &wire.connections {
        for &idle in &wire.idle {
            for &size in &wire.size {
                let numbers = [
                    ("connections", connections.max(1) as f64),
                    ("depth", wire.depth.max(1) as f64),
                    ("idle", idle as f64),
                    ("size", size.max(1) as f64),
                ];
                let mut one = point(workload, placement, common, &numbers, &[]);
                one.server.clone_from(&wire.server);
                points.push(one);
            }
        }
    }
    let subjects = match &wire.server {
        Some(address) => vec![address.clone()],
        None => runtimes(common, placement)?,
    };
    Ok(Plan {
        points,
        subjects,
        blocks: common.blocks,
    })
}

/// What `compare` compares.
pub(crate) enum Compared {
    /// What has a name in this program.
    Subjects(Plan),
    /// Programs by the names that they have in the plan, and the subject that each measures.
    Programs(Plan, BTreeMap<String, Program>, String),
}

/// A against B: selectors in the ring, runtimes in the echo, or two programs in either.
pub(crate) fn compare(options: &Compare) -> Result<Compared, String> {
    let mut common = options.common.clone();
    common.subjects = vec![options.b.clone(), options.a.clone()];
    let all = |known: fn(&str) -> bool| common.subjects.iter().all(|name| known(name));
    if all(|name| dispatch::named(name).is_some()) {
        return Ok(Compared::Subjects(compared_rings(&common, &options.sizes)));
    }
    if all(|name| Subject::named(name).is_some()) {
        return compared_echoes(&common, &options.sizes).map(Compared::Subjects);
    }
    let programs = Program::all(&common.subjects)?;
    let own = options.subject.clone();
    if dispatch::named(&own).is_none() && Subject::named(&own).is_none() {
        return Err(format!(
            "--subject {own}: no subject has this name; ring --subjects list shows the selectors, \
             echo --subjects list the runtimes"
        ));
    }
    let serves = programs
        .values()
        .any(|program| matches!(program, Program::Server(_)));
    let names = std::mem::take(&mut common.subjects);
    let mut plan = if !serves && dispatch::named(&own).is_some() {
        compared_rings(&common, &options.sizes)
    } else {
        compared_echoes(&common, &options.sizes)?
    };
    plan.subjects = names;
    Ok(Compared::Programs(plan, programs, own))
}

fn compared_rings(common: &Common, sizes: &[usize]) -> Plan {
    let transport = sockets::TRANSPORTS[1];
    let point = |&size: &usize| ring_point(common, size.max(1), 1, None, transport);
    Plan {
        points: sizes.iter().map(point).collect(),
        subjects: common.subjects.clone(),
        blocks: common.blocks,
    }
}

fn compared_echoes(common: &Common, sizes: &[usize]) -> Result<Plan, String> {
    let wire = Wire {
        connections: sizes.to_vec(),
        idle: vec![0],
        depth: 1,
        size: vec![64],
        placement: None,
        server: None,
    };
    wired(Workload::Echo, common, &wire, Placement::SameCpu)
}
