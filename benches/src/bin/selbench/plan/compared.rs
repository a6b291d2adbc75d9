//! What `compare` compares: two of what has a name here, or two programs.

use std::collections::BTreeMap;

use benches::selbench::placement::Placement;
use benches::selbench::schema::Workload;
use benches::selbench::{dispatch, sockets};
use benches::subject::Subject;

use super::{Plan, ring_point, wired};
use crate::arguments::{Common, Compare, Wire};
use crate::programs::Program;

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
