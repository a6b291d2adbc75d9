//! Presets: several workloads in one run, with a report. How much of each is in `size.rs`.

mod own;
mod size;

use std::time::Duration;

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};

use crate::arguments::{Common, Matrix, Preset, Wire};
use crate::plan::{self, Plan};
use crate::session::{self, Session};
use crate::{Ending, loads, output, report};
use size::Size;

/// Measures a preset and writes everything into a folder.
pub(crate) fn run(options: &Matrix) -> Result<Ending, String> {
    let size = match options.preset {
        Preset::Smoke => size::SMOKE,
        Preset::Quick => size::QUICK,
        Preset::Full => size::FULL,
    };
    std::fs::create_dir_all(&options.folder)
        .map_err(|error| format!("{}: {error}", options.folder.display()))?;
    let common = |ms: u64| Common {
        blocks: size.blocks,
        seed: options.seed,
        ..Common::of(ms)
    };
    let mut session = Session::begin(3.0)?;
    if let Some(seconds) = size.budget {
        session.end_after(Duration::from_secs(seconds));
    }
    session.measure(&rings(&size, &common(size.ring_ms)), true);
    let map = plan::map_point(&common(size.map.1), size.map.0, "socketpair");
    // A map has hundreds of cells: its blocks are few, and its floor is that of the ring.
    session.measure(&plan(vec![map], size.selectors, 1), false);
    session.measure(&registers(&size, &common(size.register_ms)), false);
    if Placement::SplitSpin.possible() {
        serve(&mut session, &size, &common)?;
    }
    own::measure(&mut session, &size.own, &common);
    let everything = Common {
        json: Some(options.folder.join("results.json")),
        csv: Some(options.folder.join("results.csv")),
        ..common(0)
    };
    let (document, ending) = session.finish(&everything)?;
    let path = options.folder.join("report.html");
    output::save(&path, &report::draw(&[document]))?;
    Ok(ending)
}

fn plan(points: Vec<Spec>, subjects: &[&str], blocks: usize) -> Plan {
    let known = |name: &&&str| {
        benches::selbench::dispatch::named(name).is_some()
            || benches::subject::Subject::named(name).is_some()
    };
    Plan {
        points,
        subjects: subjects
            .iter()
            .filter(known)
            .map(|&name| name.to_owned())
            .collect(),
        blocks,
    }
}

fn rings(size: &Size, common: &Common) -> Plan {
    let one = size
        .ring
        .iter()
        .map(|&registered| plan::ring_point(common, registered, 1, None, "socketpair"));
    let half = size.crowd.iter().map(|&registered| {
        plan::ring_point(
            common,
            registered,
            registered / 2,
            Some(4 * registered),
            "socketpair",
        )
    });
    plan(one.chain(half).collect(), size.selectors, size.blocks)
}

fn registers(size: &Size, common: &Common) -> Plan {
    let points = benches::selbench::register::OPERATIONS.map(|operation| {
        let numbers = [("registered", 1000.0)];
        let words = [("operation", operation), ("transport", "socketpair")];
        plan::point(
            Workload::Register,
            Placement::OneThread,
            common,
            &numbers,
            &words,
        )
    });
    plan(points.to_vec(), size.selectors, 1)
}

/// The closed loop and the open one.
fn serve(session: &mut Session, size: &Size, common: &dyn Fn(u64) -> Common) -> Result<(), String> {
    let echo = plan::wired(
        Workload::Echo,
        &common(size.echo_ms),
        &wire(50),
        Placement::SameCpu,
    )?;
    session::measure_checked(
        session,
        &plan(echo.points, size.runtimes, size.blocks),
        true,
    );
    let load = plan::wired(
        Workload::Load,
        &common(size.load.1),
        &wire(16),
        Placement::SplitSpin,
    )?;
    let load = plan(load.points, size.loaded, size.blocks.min(4));
    session::offer(session, &load, &[], size.load.0, "even", false);
    size.asked_ms
        .map_or(Ok(()), |ms| ask(session, size, ms, common))
}

/// What else the open loop is asked: fairness, an overload, the capacity with p99 within 1 ms.
fn ask(
    session: &mut Session,
    size: &Size,
    [fair_ms, overload_ms, capacity_ms]: [u64; 3],
    common: &dyn Fn(u64) -> Common,
) -> Result<(), String> {
    let wired = |workload, ms| {
        plan::wired(workload, &common(ms), &wire(50), Placement::SplitSpin).map(|plan| plan.points)
    };
    let blocks = size.blocks.div_ceil(3);
    let mut fair = wired(Workload::Fair, fair_ms)?;
    loads::fair_points(&mut fair, 25_000.0, (16_384, 4));
    session::measure_checked(session, &plan(fair, size.loaded, blocks), false);
    let overload = plan(wired(Workload::Overload, overload_ms)?, size.loaded, blocks);
    loads::offer_overload(session, &overload, None, &[150.0], false);
    let mut capacity = wired(Workload::Capacity, capacity_ms)?;
    loads::capacity_points(&mut capacity, 1000.0, false);
    session::measure_checked(session, &plan(capacity, size.loaded, blocks), false);
    Ok(())
}

/// So many connections with one message of 64 bytes each.
fn wire(connections: usize) -> Wire {
    Wire {
        connections: vec![connections],
        idle: vec![0],
        depth: 1,
        size: vec![64],
        placement: None,
        server: None,
    }
}
