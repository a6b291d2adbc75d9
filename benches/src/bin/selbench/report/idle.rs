//! The cost of being connected: bytes for each connection on which nothing happens.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, COUNT};
use super::bars::{self, Bar, Segment};
use super::groups;
use super::{figure, marks};

/// (17) Being connected.
pub(super) fn draw(slices: &[&Slice]) -> String {
    let idle = groups::of(slices, Workload::Idle);
    let points = groups::by_point(&idle, |slice| {
        format!("{} connections", slice.spec.count("connections"))
    });
    let groups = bars::grouped(&points, bar);
    let memory = Axis {
        label: "bytes for each connection",
        ..COUNT
    };
    figure(
        "idle",
        "The cost of being connected",
        "Memory for each connection on which nothing happens: what the server holds (buffer, task, \
         and what else is resident, such as the gaps between pages), and the kernel's objects for \
         both ends. The kernel's part is of the whole machine, so other programs move it. A server \
         with nothing to do must not wake up.",
        &[
            bars::draw(&groups, &memory),
            marks::legend(&bars::entries(&groups)),
        ]
        .concat(),
    )
}

fn bar(subject: &str, group: &[&Slice]) -> Option<Bar> {
    let median = |metric: &str| groups::median(group, metric).map(|(value, _)| value.max(0.0));
    let (resident, valid) = groups::median(group, "rss_bytes_per_connection")?;
    let resident = resident.max(0.0);
    let buffer = (resident - median("rss_above_buffer_bytes").unwrap_or(resident)).max(0.0);
    // The resident memory comes in pages, and can be less than what was asked for.
    let task = median("task_bytes_per_connection").unwrap_or(0.0);
    let task = task.min((resident - buffer).max(0.0));
    let kernel = median("slab_bytes_per_connection").unwrap_or(0.0);
    let wakeups =
        median("wakeups").map_or_else(String::new, |wakeups| match axis::count(wakeups) {
            one if one == "1" => ", 1 wake-up".to_owned(),
            many => format!(", {many} wake-ups"),
        });
    let parts = [
        ("buffer", buffer, 9),
        ("task", task, 4),
        ("other resident", (resident - buffer - task).max(0.0), 1),
        ("kernel", kernel, 6),
    ];
    let (mut segments, mut total) = (Vec::new(), 0.0);
    for (name, bytes, colour) in parts {
        segments.push(Segment {
            name,
            from: total,
            to: total + bytes,
            colour,
        });
        total += bytes;
    }
    Some(Bar {
        name: subject.to_owned(),
        segments,
        words: format!(
            "server {} B, kernel {} B{wakeups}",
            axis::count(resident),
            axis::count(kernel)
        ),
        valid,
    })
}
