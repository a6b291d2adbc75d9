//! The points of what the raw selectors do in one thread: rings, maps, registrations.

use std::io::Write;

use benches::selbench::dispatch;
use benches::selbench::placement::Placement;
use benches::selbench::ring::{Ring as TokenRing, Shape};
use benches::selbench::schema::{Spec, Workload};

use super::subjects::selectors;
use super::{Plan, point};
use crate::arguments::{Common, Map, Register, Ring};

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
