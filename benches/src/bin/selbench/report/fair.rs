//! Small messages alone, and beside a bulk stream: from the median to p99.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, TIME};
use super::bars::{self, Bar, Segment};
use super::figure;
use super::groups::{self, Colours};

/// (10) Fairness.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let fair = groups::of(slices, Workload::Fair);
    let points = groups::by_point(&fair, |slice| {
        let spec = &slice.spec;
        format!(
            "{} connections, {} small messages a second; bulk: {} bytes, {} under way; {}",
            spec.count("connections"),
            axis::count(spec.number("rate")),
            spec.count("bulk_size"),
            spec.count("bulk_depth"),
            spec.placement.name()
        )
    });
    let groups = bars::grouped(&points, |subject, group| pair(subject, group, colours));
    let responses = Axis {
        label: "response of the small messages, from the median to p99",
        ..TIME
    };
    figure(
        "fair",
        "Small messages beside a bulk stream",
        "Each bar begins at the median and ends at p99: the median over the blocks of each. A loop \
         that reads a busy connection until it is empty makes the small messages wait for the \
         stream: then the second bar lies decades to the right of the first one.",
        &bars::draw(&groups, &responses),
    )
}

/// A subject's two bars: without the stream and with it.
fn pair(subject: &str, group: &[&Slice], colours: &Colours) -> Vec<Bar> {
    let colour = colours.get(Workload::Fair, subject);
    let bulk = groups::median(group, "bulk_mb_per_second").map_or_else(String::new, |(rate, _)| {
        format!(", bulk {} MB/s", axis::count(rate))
    });
    let halves = [
        ("alone", "alone_p50_ns", "alone_p99_ns", String::new()),
        ("beside bulk", "response_p50_ns", "response_p99_ns", bulk),
    ];
    halves
        .into_iter()
        .filter_map(|(name, low, high, more)| {
            let (to, valid) = groups::median(group, high)?;
            let (from, _) = groups::median(group, low)?;
            Some(Bar {
                name: format!("{subject} {name}"),
                segments: vec![Segment {
                    name: "response",
                    from,
                    to,
                    colour,
                }],
                words: format!("{} to {}{more}", axis::time(from), axis::time(to)),
                valid,
            })
        })
        .collect()
}
