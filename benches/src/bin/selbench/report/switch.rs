//! From task to task: nanoseconds for each switch, and the allocations of a task.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, COUNT};
use super::bars::{self, Bar};
use super::figure;
use super::groups::{self, Colours};

/// (12) Switches.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let switches = groups::of(slices, Workload::Switch);
    let points = groups::by_point(&switches, |slice| {
        let tasks = match slice.spec.count("tasks") {
            1 => "1 task".to_owned(),
            many => format!("{many} tasks"),
        };
        format!("{}, {tasks}", slice.spec.choice("operation"))
    });
    let groups = bars::grouped(&points, |subject, group| bar(subject, group, colours));
    let costs = Axis {
        label: "nanoseconds for each switch; for spawn-join, each task",
        ..COUNT
    };
    figure(
        "switch",
        "From task to task",
        "One thread, no I/O: what the executor alone costs. Behind each bar the heap allocations of \
         a task from its spawning to its end; they are counted, and the same on every machine.",
        &bars::draw(&groups, &costs),
    )
}

fn bar(subject: &str, group: &[&Slice], colours: &Colours) -> Option<Bar> {
    let cost = groups::median(group, "ns_per_switch")?;
    let allocations =
        groups::median(group, "allocations_per_task").map_or_else(String::new, |(each, _)| {
            match axis::count(each) {
                one if one == "1" => ", 1 allocation".to_owned(),
                many => format!(", {many} allocations"),
            }
        });
    let words = format!("{} ns{allocations}", axis::count(cost.0));
    let colour = colours.get(Workload::Switch, subject);
    Some(Bar::plain(subject, "switch", cost, colour, words))
}
