//! The cascade: what registering and the ripple cost for each fd, against how many there are.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{Axis, COUNT, TIME};
use super::figure;
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::series::Point;

/// The parts of a cascade: heading and metric, in microseconds for all fds.
const PARTS: [(&str, &str); 2] = [
    ("Register, with a timer each", "register_us"),
    ("Dispatch: the ripple", "dispatch_us"),
];

/// (18) Registration and ripple.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let cascades = groups::of(slices, Workload::Cascade);
    let charts = PARTS.map(|(name, metric)| {
        let points = |group: &[&Slice]| {
            let all = groups::curve(group, "fds", metric);
            all.into_iter().map(each).collect()
        };
        let chart = Chart {
            shape: lines::PANEL,
            x: Axis {
                label: "fds, each with a timer",
                logarithmic: true,
                ..COUNT
            },
            y: Axis {
                label: "time for each fd",
                ..TIME
            },
            series: groups::curves(&cascades, colours, points),
            behind: Vec::new(),
        };
        (name.to_owned(), chart)
    });
    figure(
        "cascade",
        "A cascade through all that is registered",
        "So many fds are registered with a timer each; then one byte runs through all of them, and \
         each link cancels its timer. For each fd: flat is a cost that does not grow with their \
         number, a slope as steep as the number is a loop that looks at all of them for each link.",
        &lines::panels(&charts),
    )
}

/// From microseconds for all to nanoseconds for each.
fn each(all: Point) -> Point {
    Point {
        y: all.y * 1e3 / all.x,
        ..all
    }
}
