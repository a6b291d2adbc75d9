//! What the slices say about each other: the noise floor of the A/A pair at each point, then the
//! verdicts. A point without a pair of its own has the middle one of the others.

use std::collections::{BTreeMap, BTreeSet};

use benches::selbench::schema::{AGAIN, Slice, Spec};
use benches::selbench::statistics::{self, Comparison};
use benches::stats;

use super::Session;
use crate::table;

impl Session {
    /// Compares all subjects at each point with its baseline.
    pub(super) fn compare(&mut self) {
        let (floor, comparisons) = compare(&self.document.slices, self.threshold);
        self.document.noise_floor = floor;
        self.document.comparisons = comparisons;
    }
}

/// The median of the noise floors, and each subject beside the baseline of its point.
fn compare(slices: &[Slice], least: f64) -> (Option<f64>, Vec<Comparison>) {
    let points: BTreeSet<String> = slices.iter().map(|slice| slice.spec.point()).collect();
    let points: Vec<(&String, String)> = points
        .iter()
        .filter_map(|point| Some((point, baseline(slices, point)?)))
        .collect();
    let floors: BTreeMap<&String, f64> = points
        .iter()
        .filter_map(|(point, baseline)| {
            let again = format!("{baseline}{AGAIN}");
            let same = statistics::compare(slices, point, &again, baseline, 0.0)?;
            (same.blocks >= statistics::FEWEST_BLOCKS).then(|| (*point, same.half_width()))
        })
        .collect();
    let all: Vec<f64> = floors.values().copied().collect();
    let median = (!all.is_empty()).then(|| stats::median(&all));
    let mut comparisons = Vec::new();
    for (point, baseline) in &points {
        let floor = floors.get(point).copied().or(median).unwrap_or(0.0);
        let threshold = least.max(2.0 * floor);
        for subject in table::subjects(slices, point) {
            if subject != *baseline {
                comparisons.extend(statistics::compare(
                    slices, point, &subject, baseline, threshold,
                ));
            }
        }
    }
    (median, comparisons)
}

/// Whether all intervals of `subjects` beside the first one at `point` are within `threshold`, so
/// that more blocks would tell nothing new. How wide they are is asked, not where they lie: waiting
/// for a difference to appear would find one in the end.
pub(super) fn is_clear(
    slices: &[Slice],
    point: &Spec,
    subjects: &[String],
    threshold: f64,
) -> bool {
    let name = point.point();
    subjects.iter().skip(1).all(|subject| {
        statistics::compare(slices, &name, subject, &subjects[0], threshold).is_some_and(|one| {
            one.blocks >= statistics::FEWEST_BLOCKS && one.half_width() <= threshold
        })
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A valid slice of a ring.
    fn slice(registered: u32, subject: &str, block: usize, cost: f64) -> Slice {
        let text = format!(
            r#"{{"spec":{{"workload":"ring","subject":"{subject}","baseline":"bare-epoll",
            "placement":"one-thread","parameters":{{"registered":{registered}}},"choices":{{}},
            "milliseconds":1,"block":{block},"seed":1}},"metrics":{{"ns_per_event":{cost}}},
            "quiet":{{"steal_percent":0,"foreign_percent":0,"pressure_percent":0,
            "involuntary_per_second":0}},"flags":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_point_is_clear_when_its_intervals_are_narrow_wherever_they_lie() {
        let subjects = ["bare-epoll".to_owned(), "other".to_owned()];
        let clear = |costs: &[(f64, f64)]| {
            let blocks = costs.iter().enumerate();
            let slices: Vec<Slice> = blocks
                .flat_map(|(block, &(bare, other))| {
                    [
                        slice(1, "bare-epoll", block, bare),
                        slice(1, "other", block, other),
                    ]
                })
                .collect();
            is_clear(&slices, &slices[0].spec, &subjects, 0.03)
        };
        assert!(clear(&[(100.0, 100.5); 5]));
        assert!(clear(&[
            (100.0, 250.0),
            (90.0, 226.0),
            (80.0, 200.0),
            (100.0, 251.0)
        ]));
        assert!(!clear(&[(100.0, 100.0); 3]), "too few blocks");
        let wide = [
            (100.0, 90.0),
            (100.0, 120.0),
            (100.0, 100.0),
            (100.0, 140.0),
        ];
        assert!(!clear(&wide));
    }

    #[test]
    fn a_point_is_judged_by_the_noise_of_its_own_pair() {
        let mut slices = Vec::new();
        for block in 0..4_usize {
            let wide = [80.0, 120.0, 90.0, 110.0][block];
            for (registered, again) in [(1, 100.0), (2, wide)] {
                slices.push(slice(registered, "bare-epoll", block, 100.0));
                slices.push(slice(registered, "bare-epoll'", block, again));
                slices.push(slice(registered, "mio", block, 110.0));
            }
            // No pair here.
            slices.push(slice(3, "bare-epoll", block, 100.0));
            slices.push(slice(3, "mio", block, 110.0));
        }
        let (floor, comparisons) = compare(&slices, 0.03);
        let of_mio: Vec<&Comparison> = comparisons
            .iter()
            .filter(|one| one.subject == "mio")
            .collect();
        let thresholds: Vec<f64> = of_mio.iter().map(|one| one.threshold).collect();
        assert_eq!(
            thresholds[0], 0.03,
            "a steady pair leaves what was asked for"
        );
        assert!(thresholds[1] > 0.2, "{thresholds:?}");
        assert_eq!(
            thresholds[2],
            2.0 * floor.unwrap(),
            "the median of the pairs"
        );
        assert_eq!(of_mio[0].verdict, statistics::Verdict::Slower);
        assert_eq!(of_mio[1].verdict, statistics::Verdict::Same);
    }
}
