//! What the slices say about each other: the noise floor of the A/A pairs, then the verdicts.

use benches::selbench::schema::{AGAIN, Slice};
use benches::selbench::statistics::{self, Comparison};
use benches::stats;

use super::Session;
use crate::table;

impl Session {
    /// Compares all subjects at each point with its baseline.
    pub(super) fn compare(&mut self) {
        let slices = &self.document.slices;
        let mut points: Vec<String> = slices.iter().map(|slice| slice.spec.point()).collect();
        points.dedup();
        points.sort();
        points.dedup();
        let mut floors = Vec::new();
        for point in &points {
            let Some(baseline) = baseline(slices, point) else {
                continue;
            };
            let again = format!("{baseline}{AGAIN}");
            if let Some(same) = statistics::compare(slices, point, &again, &baseline, 0.0)
                && same.blocks >= statistics::FEWEST_BLOCKS
            {
                floors.push(same.half_width());
            }
        }
        let floor = (!floors.is_empty()).then(|| stats::median(&floors));
        let threshold = self.threshold.max(2.0 * floor.unwrap_or(0.0));
        let mut comparisons: Vec<Comparison> = Vec::new();
        for point in &points {
            let Some(baseline) = baseline(slices, point) else {
                continue;
            };
            for subject in table::subjects(slices, point) {
                if subject != baseline {
                    comparisons.extend(statistics::compare(
                        slices, point, &subject, &baseline, threshold,
                    ));
                }
            }
        }
        self.document.noise_floor = floor;
        self.document.comparisons = comparisons;
    }
}

/// What the others at a point are compared with: what the slices say themselves. Results that were
/// written before they said it had an A/A twin of it, or the yardstick among them.
pub(crate) fn baseline(slices: &[Slice], point: &str) -> Option<String> {
    let subjects = table::subjects(slices, point);
    let told = slices
        .iter()
        .find(|slice| slice.spec.point() == point && !slice.spec.baseline.is_empty())
        .map(|slice| &slice.spec.baseline)
        .filter(|&baseline| subjects.contains(baseline));
    if let Some(told) = told {
        return Some(told.clone());
    }
    let twin = subjects.iter().find_map(|name| name.strip_suffix(AGAIN));
    let bare = subjects.iter().find(|name| name.starts_with("bare"));
    twin.map(str::to_owned)
        .or_else(|| bare.cloned())
        .or_else(|| subjects.first().cloned())
}
