//! What a preset measures on the runtimes without a generator: switches, timers, wakes, cascades,
//! idle connections; and connections that come and go.

use benches::selbench::placement::Placement;
use benches::selbench::schema::Spec;
use benches::subject::Subject;
use benches::work::Switching;

use super::size::Own;
use crate::arguments::Common;
use crate::loads;
use crate::session::{self, Session};
use crate::workloads::{cascade, idle, switch, timers, wake};

/// Measures all of it, the shortest first: a session that is out of time leaves the rest out.
pub(super) fn measure(session: &mut Session, own: &Own, common: &dyn Fn(u64) -> Common) {
    let common = common(own.ms);
    let mut run = |points: Vec<Spec>, subjects: &[&str], blocks: usize| {
        session::measure_checked(session, &super::plan(points, subjects, blocks), false);
    };
    let mut points = switches(own, &common);
    points.extend(own.timers.iter().map(|&many| timers::storm(&common, many)));
    points.extend(own.sleeps.iter().map(|&us| timers::overshoot(&common, us)));
    // On one CPU, and on two where there are two.
    let places = [Placement::SameCpu, Placement::Split];
    let bursts = [1, own.burst];
    points.extend(wake::points(&common, own.senders, &places, &bursts, 200));
    run(points, own.executors, own.blocks);

    let with = |has: fn(&Subject) -> bool| -> Vec<&str> {
        let known = |name: &&str| Subject::named(name).is_some_and(|one| has(&one));
        own.servers.iter().copied().filter(known).collect()
    };
    let fds = own.fds.iter().map(|&fds| cascade::point(&common, fds));
    run(
        fds.collect(),
        &with(|one| one.cascade.is_some()),
        own.blocks,
    );
    let close = own.close.iter();
    let churns = close.map(|close| loads::churn_point(&common, close, Placement::SameCpu));
    run(
        churns.collect(),
        &with(|one| one.accept.is_some()),
        own.blocks,
    );
    let idle = own.idle.iter().map(|&many| idle::point(&common, many));
    run(idle.collect(), own.servers, own.blocks);
    let most = own.most_timers.iter();
    let most = most.map(|&many| timers::storm(&common, many));
    run(most.collect(), own.most_executors, 1);
}

fn switches(own: &Own, common: &Common) -> Vec<Spec> {
    let names = Switching::ALL.map(Switching::name);
    let each = |name| {
        let tasks = own.tasks.iter();
        tasks.map(move |&tasks| switch::point(common, name, tasks))
    };
    names.into_iter().flat_map(each).collect()
}
