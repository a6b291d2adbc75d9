//! Wakes: from the call to the poll, over all percentiles.

use benches::selbench::schema::{Slice, Workload};

use super::figure;
use super::groups::{self, Colours};
use super::lines::{self, Chart};
use super::percentiles;

/// (15) Latency of wakes, a panel for each way of waking.
pub(super) fn draw(slices: &[&Slice], colours: &Colours) -> String {
    let wakes = groups::of(slices, Workload::Wake);
    let points = groups::by_point(&wakes, |slice| {
        let spec = &slice.spec;
        let senders = match spec.count("senders") {
            0 => "the loop itself".to_owned(),
            1 => format!("1 thread, {}", spec.placement.name()),
            many => format!("{many} threads, {}", spec.placement.name()),
        };
        match spec.count("burst") {
            1 => senders,
            burst => format!("{senders}, bursts of {burst}"),
        }
    });
    let charts: Vec<(String, Chart)> = points
        .into_iter()
        .map(|(name, group)| {
            let chart = percentiles::panel(&group, "wake", "from wake to poll", colours);
            (name, chart)
        })
        .collect();
    figure(
        "wake",
        "From a wake to the poll",
        "A task sleeps, and is woken by its own loop or by other threads. 10 is p90, 100 is p99. In \
         a burst the last task waits for those before it. On another CPU the kernel must wake that \
         CPU first, which in a virtual machine costs more than all else.",
        &lines::panels(&charts),
    )
}
