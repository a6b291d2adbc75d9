//! (3) The win map: who is fastest, over how many are watched and how many of them are active.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::selbench::schema::{Slice, Workload};
use benches::stats;

use super::groups::{self, Colours};
use super::{axis, escape, figure, marks};

/// Turns of one subject at each cell.
type Costs<'a> = BTreeMap<(usize, usize), BTreeMap<&'a str, Vec<f64>>>;

/// The map; empty without data.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let maps = groups::of(slices, Workload::Map);
    let mut costs = Costs::new();
    for slice in &maps {
        for cell in &slice.cells {
            let here = costs.entry((cell.registered, cell.active)).or_default();
            here.entry(&slice.spec.subject)
                .or_default()
                .push(cell.ns_per_turn);
        }
    }
    if costs.is_empty() {
        return String::new();
    }
    let invalid = maps.iter().filter(|slice| !slice.valid()).count();
    let mut sizes: Vec<usize> = costs.keys().map(|key| key.0).collect();
    sizes.dedup();
    let shares = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0];
    let (left, width, height) = (70.0, 96.0, 56.0);
    let bottom = 10.0 + height * shares.len() as f64;
    let mut svg = format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"the fastest of each cell\">\n",
        (left + width * sizes.len() as f64 + 10.0).max(860.0),
        bottom + 50.0
    );
    for (column, &size) in sizes.iter().enumerate() {
        let x = left + width * column as f64;
        let _ = writeln!(
            svg,
            "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
            x + width / 2.0,
            bottom + 16.0
        );
        for (row, share) in shares.into_iter().enumerate() {
            let active = ((size as f64 * share).round() as usize).max(1);
            // Small sizes have several shares of the same number: the first one stands for all.
            let first = shares
                .iter()
                .position(|&other| ((size as f64 * other).round() as usize).max(1) == active);
            if first != Some(row) {
                continue;
            }
            let Some(here) = costs.get(&(size, active)) else {
                continue;
            };
            let y = bottom - height * (row + 1) as f64;
            cell(&mut svg, here, colours, (x, y, width, height), active);
        }
    }
    for (row, share) in shares.into_iter().enumerate() {
        let y = bottom - height * (row as f64 + 0.5) + 4.0;
        let words = if share == 0.0 {
            "one".to_owned()
        } else {
            format!("{} %", share * 100.0)
        };
        let _ = writeln!(
            svg,
            "<text class=\"tick\" x=\"{}\" y=\"{y}\" text-anchor=\"end\">{words}</text>",
            left - 8.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\">watched fds (upwards: share that is active)</text>",
        bottom + 38.0
    );
    let note = if invalid > 0 {
        format!(
            "{invalid} of {} slices of the map are invalid (see the flags): a look, not a result. ",
            maps.len()
        )
    } else {
        String::new()
    };
    figure(
        "map",
        "Who wins where",
        &format!(
            "{note}One wait until all active fds are known, one thread. Each cell: the fastest, its \
             time, and how much longer the fastest of another kernel call takes; the bare loops are \
             left out where ours were measured."
        ),
        &format!("<div class=\"wide bars\">{svg}</svg></div>"),
    )
}

/// The kernel call behind a subject.
fn call(subject: &str) -> &'static str {
    match subject {
        "polling" | "mio" => "epoll",
        name if name.contains("epoll") => "epoll",
        name if name.contains("poll") => "poll",
        name if name.contains("select") => "select",
        _ => "other",
    }
}

fn cell(
    svg: &mut String,
    here: &BTreeMap<&str, Vec<f64>>,
    colours: &Colours,
    (x, y, width, height): (f64, f64, f64, f64),
    active: usize,
) {
    let ours = here.keys().any(|name| name.starts_with("ours"));
    let mut costs: Vec<(&str, f64)> = here
        .iter()
        .filter(|(name, _)| !ours || name.starts_with("ours"))
        .map(|(name, turns)| (*name, stats::median(turns)))
        .collect();
    costs.sort_by(|a, b| a.1.total_cmp(&b.1));
    let Some(&(winner, cost)) = costs.first() else {
        return;
    };
    let second = costs.iter().find(|(name, _)| call(name) != call(winner));
    let ratio = second.map_or_else(String::new, |(name, other)| {
        format!("{} \u{d7}{:.1}", call(name), other / cost)
    });
    let colour = colours.get(Workload::Map, winner) % marks::KINDS;
    let middle = x + width / 2.0;
    let _ = writeln!(
        svg,
        "<rect class=\"cell f{colour}\" data-winner=\"{}\" data-ns=\"{cost:.0}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{active} active</title></rect>\
         <text class=\"cell-text\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text class=\"cell-text\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text class=\"cell-text\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{ratio}</text>",
        escape(winner),
        y + 18.0,
        escape(winner.trim_start_matches("ours-")),
        y + 33.0,
        axis::time(cost),
        y + 48.0
    );
}
