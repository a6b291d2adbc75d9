//! `wake` on the command line.

use benches::selbench::placement::Placement;
use benches::selbench::schema::{Spec, Workload};
use clap::Args;

use crate::arguments::Common;
use crate::plan::{self, Plan};

#[derive(Args)]
pub(crate) struct Wake {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Threads that wake, each its own tasks; 0 is the loop's own thread
    #[arg(long, value_delimiter = ',', default_value = "0,1,2")]
    pub(crate) senders: Vec<usize>,
    /// Tasks that a sender wakes in one burst
    #[arg(long, value_delimiter = ',', default_value = "1,100")]
    pub(crate) burst: Vec<usize>,
    /// Where the senders run: on the CPU of the loop (same-cpu) or on another one (split)
    #[arg(long, value_delimiter = ',', default_value = "same-cpu,split", value_parser = ["same-cpu", "split"])]
    pub(crate) placement: Vec<String>,
    /// Microseconds between bursts, in which the loop falls asleep
    #[arg(long, default_value_t = 200)]
    pub(crate) pause: u64,
}

pub(super) const COLUMNS: &[(&str, &str, f64)] = &[
    ("median ns", "wake_median_ns", 1.0),
    ("p99 ns", "wake_p99_ns", 1.0),
    ("max ns", "wake_max_ns", 1.0),
    ("writes/wake", "writes_per_wake", 1.0),
    ("wr./burst", "writes_per_burst", 1.0),
];

pub(super) fn plan(options: &Wake) -> Result<Plan, String> {
    let common = &options.common;
    let named = |name: &String| Placement::named(name).ok_or("no such placement");
    let placements: Vec<_> = options
        .placement
        .iter()
        .map(named)
        .collect::<Result<_, _>>()?;
    let (senders, burst) = (&options.senders, &options.burst);
    Ok(Plan {
        points: points(common, senders, &placements, burst, options.pause),
        subjects: plan::executors(common)?,
        blocks: common.blocks,
    })
}

/// Each number of senders at each place that there is here, with each burst.
pub(crate) fn points(
    common: &Common,
    senders: &[usize],
    placements: &[Placement],
    bursts: &[usize],
    pause: u64,
) -> Vec<Spec> {
    let mut points = Vec::new();
    for &senders in senders {
        for &placement in placements {
            for &burst in bursts {
                let one = point(common, senders, burst, placement, pause);
                // The loop's own thread has no other place.
                if one.placement.possible() && !points.contains(&one) {
                    points.push(one);
                }
            }
        }
    }
    points
}

/// So many senders that wake so many tasks each, or the loop itself.
fn point(common: &Common, senders: usize, burst: usize, placement: Placement, pause: u64) -> Spec {
    let (placement, pause) = match senders {
        0 => (Placement::OneThread, 0),
        _ => (placement, pause),
    };
    let numbers = [
        ("senders", senders as f64),
        ("burst", burst.max(1) as f64),
        ("pause_us", pause as f64),
    ];
    plan::point(Workload::Wake, placement, common, &numbers, &[])
}
