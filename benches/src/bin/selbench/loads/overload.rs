//! `overload` on the command line, and in the presets.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::Ending;
use crate::arguments::{Common, Wire};
use crate::plan::{self, Plan};
use crate::session::{self, Session};

/// The figures of its table.
pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("goodput/s", "goodput", 1.0),
    ("calm99 us", "calm_p99_ns", 1e-3),
    ("recover ms", "recover_ms", 1.0),
    ("drain ms", "drain_ms", 1.0),
];
/// Percent of the slowest capacity that is offered before and after.
const CALM: f64 = 50.0;

#[derive(Args)]
pub(crate) struct Overload {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) wire: Wire,
    /// Percent of the fastest subject's capacity, so that it is too much for everyone
    #[arg(long, value_delimiter = ',', default_value = "150")]
    pub(crate) percent: Vec<f64>,
    /// Messages a second before and after; with --peak in place of --percent
    #[arg(long, requires = "peak")]
    pub(crate) calm: Option<f64>,
    /// Messages a second during the overload
    #[arg(long, requires = "calm")]
    pub(crate) peak: Option<f64>,
}

/// Measures the capacities, then each overload: `--ms` of calm, as long of overload, and four times
/// as long of calm again.
pub(super) fn run(options: &Overload) -> Result<Ending, String> {
    let common = &options.common;
    let plan = plan::wired(
        Workload::Overload,
        common,
        &options.wire,
        Placement::SplitSpin,
    )?;
    let mut session = Session::of(common)?;
    let rates = options.calm.zip(options.peak);
    offer(
        &mut session,
        &plan,
        rates,
        &options.percent,
        !common.no_floor,
    );
    session.finish(common).map(|(_, ending)| ending)
}

/// Measures the points of `plan` with these rates, calm and peak, or with half of the slowest
/// capacity and each percentage of the fastest.
pub(crate) fn offer(
    session: &mut Session,
    plan: &Plan,
    rates: Option<(f64, f64)>,
    percent: &[f64],
    floor: bool,
) {
    let mut points: Vec<Spec> = Vec::new();
    for point in &plan.points {
        let rates: Vec<(f64, f64)> = match rates {
            Some(rates) => vec![rates],
            None => {
                let Some((slowest, fastest)) = session.capacities(plan, point) else {
                    continue;
                };
                let share = |of: f64, percent: f64| (of * percent / 1e4).round() * 100.0;
                let calm = share(slowest, CALM);
                percent
                    .iter()
                    .map(|&percent| (calm, share(fastest, percent)))
                    .collect()
            }
        };
        for (calm, peak) in rates {
            let mut one = point.clone();
            one.parameters.insert("rate".to_owned(), calm.max(1.0));
            one.parameters.insert("peak".to_owned(), peak.max(1.0));
            points.push(one);
        }
    }
    let plan = Plan {
        points,
        ..plan.clone()
    };
    session::measure_checked(session, &plan, floor);
}
