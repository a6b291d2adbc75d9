//! Changes of interest: nanoseconds for each operation, and the system calls in it.

use benches::selbench::schema::{Slice, Workload};

use super::axis::{self, Axis, COUNT};
use super::bars::{self, Bar};
use super::figure;
use super::groups::{self, Colours};

/// (7) Changes of interest.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let changes = groups::of(slices, Workload::Register);
    let points = groups::by_point(&changes, |slice| {
        let registered = slice.spec.count("registered");
        format!(
            "{}, {registered} registered",
            slice.spec.choice("operation")
        )
    });
    let groups = bars::grouped(&points, |subject, group| bar(subject, group, colours));
    let costs = Axis {
        label: "nanoseconds for each operation",
        ..COUNT
    };
    figure(
        "register",
        "Changes of interest",
        "One thread. For epoll a change is a system call, unless it changes nothing; for poll and \
         select it is a store, which each wait pays for instead.",
        &bars::draw(&groups, &costs),
    )
}

fn bar(subject: &str, group: &[&Slice], colours: &Colours) -> Option<Bar> {
    let cost = groups::median(group, Workload::Register.metric())?;
    let words = format!("{} ns", axis::count(cost.0));
    let colour = colours.get(Workload::Register, subject);
    Some(Bar::plain(subject, "operation", cost, colour, words))
}
