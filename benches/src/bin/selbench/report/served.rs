//! Bars of a closed loop: how many a second, and the server's own CPU time for each.

use benches::selbench::schema::{Slice, Workload};

use super::axis;
use super::bars::Bar;
use super::groups::{self, Colours};

/// The bar of a subject; `own` is the metric of the server's time.
pub(super) fn bar(
    workload: Workload,
    own: &str,
    subject: &str,
    group: &[&Slice],
    colours: &Colours,
) -> Option<Bar> {
    let rate = groups::median(group, "rate")?;
    // Of a server that somebody else runs the time is not known.
    let own = groups::median(group, own).map_or_else(String::new, |(time, _)| {
        format!(", server {}", axis::time(time))
    });
    let words = format!("{}/s{own}", axis::count(rate.0));
    let colour = colours.get(workload, subject);
    Some(Bar::plain(subject, "rate", rate, colour, words))
}
