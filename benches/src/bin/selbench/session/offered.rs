//! Rates that are offered: as they were asked for, or as shares of the slowest capacity.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use benches::stats;

use super::Session;
use crate::arguments::Load;
use crate::plan::{self, Plan};
use crate::{Ending, slices};

/// `load`: capacities first, if rates are asked for as shares of the slowest one.
pub(crate) fn load(options: &Load) -> Result<Ending, String> {
    let common = &options.common;
    let plan = plan::wired(Workload::Load, common, &options.wire, Placement::SplitSpin)?;
    let mut session = Session::of(common)?;
    let arrivals = if options.poisson { "poisson" } else { "even" };
    offer(
        &mut session,
        &plan,
        &options.rates,
        &options.percent,
        arrivals,
        !common.no_floor,
    );
    session.finish(common).map(|(_, ending)| ending)
}

/// Measures the points of `plan` at each rate, or at each percentage of the slowest capacity.
pub(crate) fn offer(
    session: &mut Session,
    plan: &Plan,
    rates: &[f64],
    percent: &[f64],
    arrivals: &str,
    floor: bool,
) {
    for point in &plan.points {
        let null_rate = session.null_rate(point);
        let rates: Vec<f64> = if rates.is_empty() {
            let slowest = session.capacities(plan, point).map_or(0.0, |both| both.0);
            let share = |percent: &f64| (slowest * percent / 100.0 / 100.0).round() * 100.0;
            percent.iter().map(share).collect()
        } else {
            rates.to_vec()
        };
        let points = rates.into_iter().filter(|&rate| rate >= 1.0).map(|rate| {
            let mut one = point.clone();
            one.parameters.insert("rate".to_owned(), rate);
            one.choices
                .insert("arrivals".to_owned(), arrivals.to_owned());
            one
        });
        let plan = Plan {
            points: points.collect(),
            ..plan.clone()
        };
        session.measure(&plan, floor);
        for point in &plan.points {
            match null_rate {
                Some(null_rate) => session.check_headroom(point, null_rate),
                None => session.unproven(point),
            }
        }
    }
}

impl Session {
    /// The closed-loop rates of the slowest subject and of the fastest, each the median of three
    /// tries; nothing if none could be measured.
    pub(crate) fn capacities(&self, plan: &Plan, point: &Spec) -> Option<(f64, f64)> {
        let mut rates = Vec::new();
        for subject in &plan.subjects {
            if self.interrupted() || self.late() {
                return None;
            }
            let mut spec = point.clone();
            spec.workload = Workload::Echo;
            spec.subject.clone_from(subject);
            spec.milliseconds = spec.milliseconds.min(300);
            // One slice can be anything on a machine that is not quiet, and all others hang on it.
            let tries: Vec<f64> = (0..3)
                .filter_map(|_| slices::measure(&spec).ok()?.metrics.get("rate").copied())
                .collect();
            if tries.is_empty() {
                continue;
            }
            let rate = stats::median(&tries);
            eprintln!("capacity of {subject}: {rate:.0}/s");
            rates.push(rate);
        }
        let slowest = rates.iter().copied().reduce(f64::min)?;
        let fastest = rates.iter().copied().reduce(f64::max)?;
        Some((slowest, fastest))
    }
}
