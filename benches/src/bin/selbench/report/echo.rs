//! The closed loop: requests a second, and the server's own time for each.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis};
use super::bars::{self, Bar, Group};
use super::figure;
use super::groups::{self, Colours};

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
    let groups: Vec<Group> = points
        .into_iter()
        .map(|(name, group)| Group {
            name,
            bars: groups::by_subject(&group)
                .iter()
                .filter_map(|(subject, group)| bar(subject, group, colours))
                .collect(),
        })
        .collect();
    let rates = Axis {
        label: "requests a second",
        logarithmic: false,
        show: axis::count,
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

fn bar(subject: &str, group: &[&Slice], colours: &Colours) -> Option<Bar> {
    let rate = groups::median(group, "rate")?;
    // Of a server that somebody else runs the time is not known.
    let own = groups::median(group, "server_ns_per_request")
        .map_or_else(String::new, |(time, _)| {
            format!(", server {}", axis::time(time))
        });
    let words = format!("{}/s{own}", axis::count(rate.0));
    let colour = colours.get(Workload::Echo, subject);
    Some(Bar::plain(subject, "rate", rate, colour, words))
}
