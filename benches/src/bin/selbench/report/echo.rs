//! The closed loop: requests a second, and the server's own time for each.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{Axis, COUNT};
use super::bars;
use super::groups::{self, Colours};
use super::{figure, served};

/// (8) As fast as the replies come.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let echoes = groups::of(slices, Workload::Echo);
    let points = groups::by_point(&echoes, |slice| {
        let spec = &slice.spec;
        let idle = match spec.count("idle") {
            0 => String::new(),
            idle => format!(", {idle} idle"),
        };
        format!(
            "{} connections{idle}, {} bytes, {}",
            spec.count("connections"),
            spec.count("size"),
            spec.placement.name()
        )
    });
    let groups = bars::grouped(&points, |subject, group| {
        served::bar(
            Workload::Echo,
            "server_ns_per_request",
            subject,
            group,
            colours,
        )
    });
    let rates = Axis {
        label: "requests a second",
        ..COUNT
    };
    figure(
        "echo",
        "As fast as the replies come",
        "A closed loop: what the server and the client can do together, and the server's own CPU \
         time for each request. A closed loop hides stalls: it says nothing about latency under \
         load.",
        &bars::draw(&groups, &rates),
    )
}
