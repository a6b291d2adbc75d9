//! The statistics of paired measurements: estimates over blocks, never over the samples inside a
//! slice; the order of a block's slices; words for what a ratio says.

use fastrand::Rng;
use serde::{Deserialize, Serialize};

const RESAMPLES: usize = 10_000;
/// Beyond this threshold nothing is called the same: two that may differ by a tenth are undecided.
const COARSE: f64 = 0.1;
/// Fewer paired blocks than this allow no verdict.
pub const FEWEST_BLOCKS: usize = 4;

/// The middle value; the mean of the two middle ones if their number is even. None of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 { upper } else { f64::midpoint(sorted[middle - 1], upper) })
}

/// A ratio with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// The median of ratios, given the logarithm of one ratio a block, and its interval by a
/// bootstrap over the blocks. The same blocks give the same interval: the generator is seeded.
pub fn ratio(log_ratios: &[f64]) -> Ratio {
    let mut random = Rng::with_seed(1);
    let mut again = || {
        let all = 0..log_ratios.len();
        median(all.clone().map(|_| log_ratios[random.usize(all.clone())])).unwrap_or_default()
    };
    let mut medians: Vec<f64> = (0..RESAMPLES).map(|_| again()).collect();
    medians.sort_unstable_by(f64::total_cmp);
    Ratio {
        value: median(log_ratios.iter().copied()).unwrap_or_default().exp(),
        low: medians[RESAMPLES / 40].exp(),
        high: medians[RESAMPLES - 1 - RESAMPLES / 40].exp(),
    }
}

/// The order of `subjects` in each of `blocks`: the rows of a Latin square in random order, so that
/// each has each place equally often.
pub fn orders(subjects: usize, blocks: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..subjects).collect();
    Rng::with_seed(seed).shuffle(&mut rows);
    let at = |block: usize, place: usize| (rows[block % subjects] + place) % subjects;
    (0..blocks).map(|block| (0..subjects).map(|place| at(block, place)).collect()).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval lies below one, and the ratio below the threshold.
    Faster,
    /// The interval lies above one, and the ratio above the threshold.
    Slower,
    /// The whole interval lies within the threshold, and that is no more than a tenth.
    Same,
    /// None of these: more blocks or a quieter machine are needed.
    Undecided,
}

impl Verdict {
    /// As in tables; `threshold` is the share that counts.
    pub fn words(self, threshold: f64) -> String {
        match self {
            Self::Faster => "faster".to_owned(),
            Self::Slower => "slower".to_owned(),
            Self::Same => format!("same within \u{b1}{:.1} %", 100.0 * threshold),
            Self::Undecided => "undecided".to_owned(),
        }
    }
}

/// Judges a ratio of costs: below one is faster.
pub fn judge(ratio: Ratio, threshold: f64) -> Verdict {
    let (below, above) = (1.0 / (1.0 + threshold), 1.0 + threshold);
    if ratio.low >= below && ratio.high <= above {
        if threshold <= COARSE { Verdict::Same } else { Verdict::Undecided }
    } else if ratio.high < 1.0 && ratio.value < below {
        Verdict::Faster
    } else if ratio.low > 1.0 && ratio.value > above {
        Verdict::Slower
    } else {
        Verdict::Undecided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_and_its_interval_are_those_of_the_blocks() {
        assert_eq!([median([4.0, 1.0, 3.0, 2.0]), median([])], [Some(2.5), None]);
        let equal = ratio(&[0.5_f64.ln(); 8]);
        assert!((equal.value - 0.5).abs() < 1e-12 && (equal.high - equal.low).abs() < 1e-12);
        let ratio = ratio(&[0.1, -0.1, 0.2, 0.0, 0.05, 0.07]);
        assert!(ratio.low <= ratio.value && ratio.value <= ratio.high);
    }

    #[test]
    fn each_subject_has_each_place_equally_often() {
        let of_five = orders(5, 10, 7);
        for (place, subject) in (0..25).map(|number| (number / 5, number % 5)) {
            let times = of_five.iter().filter(|order| order[place] == subject).count();
            assert_eq!(times, 2, "subject {subject} at place {place}");
        }
        let of_two = orders(2, 2, 1);
        assert_eq!(of_two[0], [of_two[1][1], of_two[1][0]], "ABBA");
        assert_eq!(orders(0, 3, 1), [[0_usize; 0]; 3], "nobody has no place");
    }

    #[test]
    fn verdicts_need_the_interval_and_the_size_and_what_is_coarse_is_never_the_same() {
        let judged = |value, low, high, threshold| judge(Ratio { value, low, high }, threshold);
        assert_eq!(judged(0.9, 0.85, 0.95, 0.03), Verdict::Faster);
        assert_eq!(judged(1.1, 1.05, 1.2, 0.03), Verdict::Slower);
        assert_eq!(judged(1.01, 0.99, 1.02, 0.03), Verdict::Same);
        assert_eq!(judged(1.1, 0.9, 1.3, 0.03), Verdict::Undecided);
        assert_eq!(judged(0.985, 0.96, 0.99, 0.03), Verdict::Undecided);
        assert_eq!(judged(1.3, 1.1, 1.6, 0.82), Verdict::Undecided, "within 82 %");
        assert_eq!(judged(22.0, 9.0, 40.0, 0.82), Verdict::Slower, "on the busiest machine");
    }
}
