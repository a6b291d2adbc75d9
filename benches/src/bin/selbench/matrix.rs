//! Presets: several workloads in one run, with a report.

use std::time::Duration;

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};

use crate::arguments::{Common, Matrix, Preset, Wire};
use crate::plan::{self, Plan};
use crate::session::{self, Session};
use crate::{Ending, loads, output, report};

/// How much of everything.
struct Size {
    /// Seconds after which no slice begins.
    budget: Option<u64>,
    ring: &'static [usize],
    crowd: &'static [usize],
    ring_ms: u64,
    map: (usize, u64),
    register_ms: u64,
    echo_ms: u64,
    load: (&'static [f64], u64),
    /// Of fairness, of an overload and of each run of a search; nothing leaves the three out.
    asked_ms: Option<[u64; 3]>,
    blocks: usize,
    selectors: &'static [&'static str],
    runtimes: &'static [&'static str],
    loaded: &'static [&'static str],
}

const SMOKE: Size = Size {
    budget: Some(17),
    ring: &[1, 64, 1024],
    crowd: &[],
    ring_ms: 20,
    map: (256, 100),
    register_ms: 20,
    echo_ms: 80,
    load: (&[50.0], 250),
    asked_ms: None,
    blocks: 4,
    selectors: &["bare-epoll", "ours-epoll", "ours-poll", "ours-select"],
    runtimes: &["bare", "ours", "tokio"],
    loaded: &["bare", "ours"],
};

const QUICK: Size = Size {
    budget: Some(112),
    ring: &[1, 16, 256, 4096],
    crowd: &[512],
    ring_ms: 50,
    map: (4096, 500),
    register_ms: 40,
    echo_ms: 150,
    load: (&[10.0, 50.0, 80.0, 110.0], 400),
    asked_ms: Some([400, 150, 60]),
    blocks: 5,
    selectors: &[
        "bare-epoll",
        "ours-epoll",
        "ours-epoll-edge",
        "ours-poll",
        "ours-select",
        "mio",
        "polling",
    ],
    runtimes: &["bare", "ours", "ours-poll", "mio", "tokio", "smol"],
    loaded: &["bare", "ours", "tokio"],
};

const FULL: Size = Size {
    budget: None,
    ring: &[
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192,
    ],
    crowd: &[64, 512, 4096],
    ring_ms: 200,
    map: (8192, 2000),
    register_ms: 200,
    echo_ms: 500,
    load: (&[10.0, 50.0, 70.0, 90.0, 110.0], 1500),
    asked_ms: Some([1000, 500, 300]),
    blocks: 10,
    selectors: &[
        "bare-epoll",
        "bare-poll",
        "bare-select",
        "ours-epoll",
        "ours-epoll-edge",
        "ours-epoll-oneshot",
        "ours-poll",
        "ours-select",
        "mio",
        "polling",
    ],
    runtimes: &[
        "bare",
        "ours",
        "ours-level",
        "ours-poll",
        "ours-select",
        "mio",
        "tokio",
        "smol",
    ],
    loaded: &["bare", "ours", "ours-poll", "tokio", "smol"],
};

/// Measures a preset and writes everything into a folder.
pub(crate) fn run(options: &Matrix) -> Result<Ending, String> {
    let size = match options.preset {
        Preset::Smoke => SMOKE,
        Preset::Quick => QUICK,
        Preset::Full => FULL,
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
