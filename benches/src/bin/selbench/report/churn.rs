//! Connections that come and go: how many a second, and from `connect` to the first byte.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{Axis, COUNT};
use super::bars;
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::{figure, percentiles, served};

/// (16) Coming and going.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let churns = groups::of(slices, Workload::Churn);
    let points = groups::by_point(&churns, name);
    let groups = bars::grouped(&points, |subject, group| {
        served::bar(
            Workload::Churn,
            "server_ns_per_connection",
            subject,
            group,
            colours,
        )
    });
    let rates = Axis {
        label: "connections a second",
        ..COUNT
    };
    let charts: Vec<(String, Chart)> = points
        .into_iter()
        .map(|(name, group)| {
            let chart =
                percentiles::panel(&group, "first_byte", "from connect to first byte", colours);
            (name, chart)
        })
        .collect();
    figure(
        "churn",
        "Connections that come and go",
        "Accept, one echo, close; each connection that ends is followed by the next. Bars: how many \
         a second, and the server's own CPU time for each. Curves: from connect to the first byte of \
         the reply, over all percentiles (10 is p90, 100 is p99); a closed loop, which hides stalls.",
        &[bars::draw(&groups, &rates), lines::panels(&charts)].concat(),
    )
}

/// A point in words: how connections end, and whatever is not as usual.
fn name(slice: &Slice) -> String {
    let spec = &slice.spec;
    let mut words = format!(
        "{}, {} at a time, {}",
        spec.choice("close"),
        spec.count("connections"),
        spec.placement.name()
    );
    for (name, usual, unit) in [
        ("accept_batch", 0, "accepted in a row"),
        ("backlog", 1024, "in the queue at most"),
        ("listeners", 1, "listeners"),
        ("size", 64, "bytes"),
    ] {
        let count = spec.count(name);
        if count != usual {
            words += &format!(", {count} {unit}");
        }
    }
    words
}
