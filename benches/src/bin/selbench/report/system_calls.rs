//! System calls for each event of the ring: counts, the same on every machine.

use benches::selbench::schema::{Slice, Workload};
use benches::stats;

use super::axis::{Axis, COUNT};
use super::bars::{self, Bar, Group, Segment};
use super::groups;
use super::{escape, figure, marks};

/// The calls in the order of a turn.
const KINDS: [&str; 4] = ["wait", "read", "write", "change"];

/// (6) Stacked bars, of the first point that counted any.
pub(super) fn draw(slices: &[&Slice]) -> String {
    let counted: Vec<&Slice> = groups::of(slices, Workload::Ring)
        .into_iter()
        .filter(|slice| !slice.system_calls.is_empty())
        .collect();
    let Some((first, here)) = groups::first_point(&counted) else {
        return String::new();
    };
    let bars = groups::by_subject(&here)
        .iter()
        .map(|(subject, group)| bar(subject, group))
        .collect();
    let groups = [Group {
        name: String::new(),
        bars,
    }];
    let calls = Axis {
        label: "system calls for each event",
        ..COUNT
    };
    figure(
        "system-calls",
        "System calls for each event",
        &format!(
            "{}. \u{201c}change\u{201d} is arming again after a oneshot report.",
            escape(&first)
        ),
        &[
            bars::draw(&groups, &calls),
            marks::legend(&bars::entries(&groups)),
        ]
        .concat(),
    )
}

fn bar(subject: &str, group: &[&Slice]) -> Bar {
    let (believable, valid) = groups::believable(group);
    let (mut segments, mut total) = (Vec::new(), 0.0);
    for (index, kind) in KINDS.into_iter().enumerate() {
        let each: Vec<f64> = believable
            .iter()
            .filter_map(|slice| slice.system_calls.get(kind).copied())
            .collect();
        let each = stats::median(&each);
        if each > 0.0 {
            segments.push(Segment {
                name: kind,
                from: total,
                to: total + each,
                colour: index + 1,
            });
            total += each;
        }
    }
    Bar {
        name: subject.to_owned(),
        segments,
        words: format!("{total:.2}"),
        valid,
    }
}
