//! The highest rate that meets the goal: bars over the subjects, and the knee that each search
//! found.

use benches::selbench::schema::{Probe, Slice, Workload};
use benches::stats;

use super::axis::{self, Axis, COUNT, TIME};
use super::bars::{self, Bar};
use super::figure;
use super::groups::{self, Colours};
use super::lines::{self, Behind, Chart};
use super::series::{Point, Series};

/// Rates beyond so many times the capacity are left out: the flood asks for millions.
const NEAR: f64 = 1.5;

/// (9) Capacity with a goal.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let searches = groups::of(slices, Workload::Capacity);
    let points = groups::by_point(&searches, |slice| {
        let spec = &slice.spec;
        let goal = axis::time(spec.number("goal_us") * 1e3);
        let idle = match spec.count("idle") {
            0 => String::new(),
            idle => format!(", {idle} idle"),
        };
        format!(
            "{} connections{idle}, {} bytes, p99 within {goal}, {}",
            spec.count("connections"),
            spec.count("size"),
            spec.placement.name()
        )
    });
    let groups = bars::grouped(&points, |subject, group| [bar(subject, group, colours)]);
    let rates = Axis {
        label: "highest rate with p99 within the goal, messages a second",
        ..COUNT
    };
    let knees: Vec<(String, Chart)> = points
        .iter()
        .map(|(name, group)| (name.clone(), knee(group, colours)))
        .collect();
    figure(
        "capacity",
        "The highest rate that meets the goal",
        "Bars: the median over the blocks, and from the lowest to the highest. Curves: what the \
         search of the middle block saw at each rate that it tried; the dotted line is the rate \
         that held when it was run again. Where a curve turns upwards is the knee.",
        &[bars::draw(&groups, &rates), lines::panels(&knees)].concat(),
    )
}

fn bar(subject: &str, group: &[&Slice], colours: &Colours) -> Bar {
    let colour = colours.get(Workload::Capacity, subject);
    let Some((median, valid)) = groups::median(group, "rate") else {
        let words = "no rate held".to_owned();
        return Bar::plain(subject, "rate", (0.0, false), colour, words);
    };
    let (group, _) = groups::believable(group);
    let rates = || group.iter().filter_map(|slice| slice.metrics.get("rate"));
    let words = format!(
        "{}, {} to {}",
        axis::count(median),
        axis::count(rates().copied().fold(f64::INFINITY, f64::min)),
        axis::count(rates().copied().fold(0.0, f64::max))
    );
    Bar::plain(subject, "rate", (median, valid), colour, words)
}

/// p99 over the rates that were tried, with the goal and the capacities.
fn knee(group: &[&Slice], colours: &Colours) -> Chart {
    let goal = group[0].spec.number("goal_us") * 1e3;
    let mut chart = Chart {
        shape: lines::WIDE,
        x: Axis {
            label: "messages a second",
            logarithmic: true,
            ..COUNT
        },
        y: Axis {
            label: "p99 of the response",
            ..TIME
        },
        series: Vec::new(),
        behind: vec![Behind::Level {
            y: goal,
            words: format!("the goal, {}", axis::time(goal)),
        }],
    };
    for (subject, group) in groups::by_subject(group) {
        let colour = colours.get(Workload::Capacity, subject);
        let Some((search, rate)) = middle(&group) else {
            continue;
        };
        chart.behind.push(Behind::Stake { x: rate, colour });
        let points = tried(search, NEAR * rate);
        chart.series.push(Series::main(subject, points, colour));
    }
    chart
}

/// The median p99 at each rate that a search tried, up to `most`.
fn tried(search: &Slice, most: f64) -> Vec<Point> {
    let mut rates = groups::gather(&search.probes, |probe: &Probe| probe.rate);
    rates.sort_by(|a, b| a.0.total_cmp(&b.0));
    rates
        .into_iter()
        .filter(|(rate, _)| *rate <= most)
        .map(|(x, probes)| {
            let p99: Vec<f64> = probes.iter().map(|probe| probe.p99_ns).collect();
            Point {
                x,
                y: stats::median(&p99),
                valid: search.valid(),
            }
        })
        .collect()
}

/// The search whose result is the median one, and its rate.
fn middle<'a>(group: &[&'a Slice]) -> Option<(&'a Slice, f64)> {
    let having: Vec<&Slice> = group
        .iter()
        .copied()
        .filter(|slice| slice.metrics.contains_key("rate"))
        .collect();
    let (mut having, _) = groups::believable(&having);
    having.sort_by(|a, b| a.metrics["rate"].total_cmp(&b.metrics["rate"]));
    let middle = having.get(having.len().checked_sub(1)? / 2)?;
    Some((middle, middle.metrics["rate"]))
}
