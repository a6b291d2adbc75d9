//! Whether the generator could have done more: what it reaches against the null server.

use benches::selbench::checks::{self, Flag, Reason};
use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use benches::selbench::server;

use super::Session;
use crate::plan::Plan;
use crate::slices;

/// Measures a plan, and for clients of servers the generator's headroom.
pub(crate) fn measure_checked(session: &mut Session, plan: &Plan, floor: bool) {
    let wired = |point: &&Spec| point.workload.serves() && point.placement != Placement::SameCpu;
    let rates: Vec<(Spec, f64)> = plan
        .points
        .iter()
        .filter(wired)
        .filter_map(|point| Some((point.clone(), session.null_rate(point)?)))
        .collect();
    session.measure(plan, floor);
    for (point, rate) in rates {
        session.check_headroom(&point, rate);
    }
}

impl Session {
    /// Measures how fast the generator can be: the null server, with four times the depth.
    pub(super) fn null_rate(&self, point: &Spec) -> Option<f64> {
        if self.interrupted() || self.late() {
            return None;
        }
        let mut spec = point.clone();
        if point.workload != Workload::Churn {
            spec.workload = Workload::Echo;
        }
        server::null(point.placement).clone_into(&mut spec.subject);
        spec.server = None;
        spec.server_program = None;
        spec.milliseconds = spec.milliseconds.min(300);
        let depth = spec.number("depth").max(1.0);
        spec.parameters.insert("depth".to_owned(), 4.0 * depth);
        spec.parameters.remove("rate");
        let slice = slices::measure(&spec).ok()?;
        slice.metrics.get("rate").copied()
    }

    /// Adds the check of headroom to the slices of a point. Where the server had no time to rest
    /// and the rate is what it could do, none is needed: the generator was not the limit.
    pub(super) fn check_headroom(&mut self, point: &Spec, null_rate: f64) {
        let name = point.point();
        for slice in &mut self.document.slices {
            let of_it = slice.spec.point() == name;
            let bound = slice
                .metrics
                .get("server_cpu")
                .is_some_and(|&cpu| cpu >= 0.9);
            if !of_it || slice.metrics.contains_key("headroom") {
                continue;
            }
            let offered = matches!(slice.spec.workload, Workload::Load | Workload::Fair);
            let figure = |name: &str| slice.metrics.get(name).copied().unwrap_or(0.0);
            let rate = match slice.spec.workload {
                _ if offered => slice.spec.number("rate"),
                Workload::Overload => figure("goodput"),
                _ => figure("rate"),
            };
            if rate <= 0.0 {
                continue;
            }
            slice
                .metrics
                .insert("headroom".to_owned(), null_rate / rate);
            if offered || !bound {
                slice.flags.extend(checks::headroom(null_rate, rate));
            }
        }
    }

    /// The null server could not be measured: nothing proves the generator.
    pub(super) fn unproven(&mut self, point: &Spec) {
        let name = point.point();
        for slice in self
            .document
            .slices
            .iter_mut()
            .filter(|slice| slice.spec.point() == name)
        {
            slice.flags.push(Flag {
                reason: Reason::Headroom,
                detail: "the null server could not be measured".to_owned(),
            });
        }
    }
}
