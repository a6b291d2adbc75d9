//! Connections that come and go: how many a second, and from `connect` to the first byte.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, TIME};
use super::bars::{self, Bar, Group};
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::{figure, percentiles};

/// (16) Coming and going.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let churns = groups::of(slices, Workload::Churn);
    let points = groups::by_point(&churns, name);
    let groups: Vec<Group> = points
        .iter()
        .map(|(name, group)| Group {
            name: name.clone(),
            bars: groups::by_subject(group)
                .iter()
                .filter_map(|(subject, group)| bar(subject, group, colours))
                .collect(),
        })
        .collect();
    let rates = Axis {
        label: "connections a second",
        logarithmic: false,
        show: axis::count,
    };
    let charts: Vec<(String, Chart)> = points
        .into_iter()
        .map(|(name, group)| {
            let chart = Chart {
                shape: lines::PANEL,
                x: Axis {
                    label: "1 / (1 \u{2212} percentile)",
                    ..percentiles::BEYOND
                },
                y: Axis {
                    label: "from connect to first byte",
                    ..TIME
                },
                series: percentiles::curves(&group, "first_byte", colours, false),
                behind: Vec::new(),
            };
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

fn bar(subject: &str, group: &[&Slice], colours: &Colours) -> Option<Bar> {
    let rate = groups::median(group, "rate")?;
    // Of a server that somebody else runs the time is not known.
    let own = groups::median(group, "server_ns_per_connection")
        .map_or_else(String::new, |(time, _)| {
            format!(", server {}", axis::time(time))
        });
    let words = format!("{}/s{own}", axis::count(rate.0));
    let colour = colours.get(Workload::Churn, subject);
    Some(Bar::plain(subject, "rate", rate, colour, words))
}
