//! Blocks, their order, and what paired slices say: estimates over blocks, never over the samples
//! inside a slice.

use serde::{Deserialize, Serialize};

use super::schema::Slice;
use crate::stats;

/// A seeded generator (xorshift64*): plenty for orders and arrivals.
pub struct Random(u64);

impl Random {
    /// From a seed; zero is as good as any.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    #[inline]
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Above zero, up to one.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ((self.number() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// The order of `subjects` in each of `blocks`: ABBA for two, for more the rows of a Latin square
/// in random order, so that each has each place equally often.
pub fn orders(subjects: usize, blocks: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut random = Random::new(seed);
    let mut rows: Vec<usize> = Vec::new();
    (0..blocks)
        .map(|block| {
            if subjects == 2 {
                return if block % 2 == 0 {
                    vec![0, 1]
                } else {
                    vec![1, 0]
                };
            }
            if rows.is_empty() {
                // Without subjects one row, which is empty.
                rows = (0..subjects.max(1)).collect();
            }
            let row = rows.swap_remove(random.number() as usize % rows.len());
            (0..subjects)
                .map(|place| (row + place) % subjects)
                .collect()
        })
        .collect()
}

/// What the comparison of two says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The interval lies below one, and the ratio below the threshold.
    Faster,
    /// The interval lies above one, and the ratio above the threshold.
    Slower,
    /// The whole interval lies within the threshold.
    Same,
    /// None of these: more blocks or a quieter machine are needed.
    Inconclusive,
}

impl Verdict {
    /// As in tables; `threshold` is the share that counts.
    pub fn words(self, threshold: f64) -> String {
        match self {
            Self::Faster => "faster".to_owned(),
            Self::Slower => "slower".to_owned(),
            Self::Same => format!("same within \u{b1}{:.1} %", 100.0 * threshold),
            Self::Inconclusive => "inconclusive".to_owned(),
        }
    }
}

/// Judges a ratio of costs: below one is faster.
pub fn judge(ratio: stats::Ratio, threshold: f64) -> Verdict {
    let (below, above) = (1.0 / (1.0 + threshold), 1.0 + threshold);
    if ratio.low >= below && ratio.high <= above {
        Verdict::Same
    } else if ratio.high < 1.0 && ratio.value < below {
        Verdict::Faster
    } else if ratio.low > 1.0 && ratio.value > above {
        Verdict::Slower
    } else {
        Verdict::Inconclusive
    }
}

/// One subject beside another at one point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// What they have in common.
    pub point: String,
    /// The one that is judged.
    pub subject: String,
    /// The one that it is judged against.
    pub baseline: String,
    /// Cost of the subject over cost of the baseline, median over the blocks.
    pub ratio: f64,
    /// Where its 95 % interval begins.
    pub low: f64,
    /// Where its 95 % interval ends.
    pub high: f64,
    /// Blocks in which both were valid.
    pub blocks: usize,
    /// The share that counts: the one asked for, or twice the noise floor.
    pub threshold: f64,
    /// The word.
    pub verdict: Verdict,
}

impl Comparison {
    /// The interval in words, with `dash` between its ends; `n/a` where the blocks are too few to
    /// have one.
    pub fn interval(&self, dash: &str) -> String {
        if self.blocks < FEWEST_BLOCKS {
            return "n/a".to_owned();
        }
        format!("{:.3}{dash}{:.3}", self.low, self.high)
    }

    /// Half the width of the interval of the log ratio: nearly a share, while it is small.
    pub fn half_width(&self) -> f64 {
        (self.high.ln() - self.low.ln()).abs() / 2.0
    }
}

/// Fewer paired blocks than this allow no verdict.
pub const FEWEST_BLOCKS: usize = 4;

/// Compares `subject` with `baseline` at `point`, over the blocks in which both are valid. If there
/// are none, the ratio is that of the invalid ones, of no blocks, and there is no verdict.
pub fn compare(
    slices: &[Slice],
    point: &str,
    subject: &str,
    baseline: &str,
    threshold: f64,
) -> Option<Comparison> {
    let cost = |name: &str, block: usize, any: bool| {
        slices
            .iter()
            .filter(|slice| (any || slice.valid()) && slice.spec.block == block)
            .find(|slice| slice.spec.subject == name && slice.spec.point() == point)
            .and_then(Slice::cost)
    };
    let blocks = slices.iter().map(|slice| slice.spec.block + 1).max()?;
    let logs = |any: bool| -> Vec<f64> {
        (0..blocks)
            .filter_map(|block| {
                Some((cost(subject, block, any)? / cost(baseline, block, any)?).ln())
            })
            .collect()
    };
    let valid = logs(false);
    let paired = valid.len();
    let logs = if paired == 0 { logs(true) } else { valid };
    if logs.is_empty() {
        return None;
    }
    let ratio = stats::ratio(&logs);
    Some(Comparison {
        point: point.to_owned(),
        subject: subject.to_owned(),
        baseline: baseline.to_owned(),
        ratio: ratio.value,
        low: ratio.low,
        high: ratio.high,
        blocks: paired,
        threshold,
        verdict: if paired < FEWEST_BLOCKS {
            Verdict::Inconclusive
        } else {
            judge(ratio, threshold)
        },
    })
}

/// The line through points that is best in relative terms: `(a, b)` of `a + b x`.
pub fn fit(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    if points.len() < 2 || points.iter().any(|point| point.1 <= 0.0) {
        return None;
    }
    let mut sums = [0.0; 5];
    for &(x, y) in points {
        let weight = 1.0 / (y * y);
        for (sum, term) in sums.iter_mut().zip([1.0, x, y, x * x, x * y]) {
            *sum += weight * term;
        }
    }
    let [one, x, y, xx, xy] = sums;
    let determinant = one * xx - x * x;
    (determinant.abs() > f64::EPSILON * one * xx).then(|| {
        (
            (y * xx - x * xy) / determinant,
            (one * xy - x * y) / determinant,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subject_has_each_place_equally_often() {
        let orders = orders(5, 10, 7);
        for place in 0..5 {
            for subject in 0..5 {
                let times = orders
                    .iter()
                    .filter(|order| order[place] == subject)
                    .count();
                assert_eq!(times, 2, "subject {subject} at place {place}");
            }
        }
    }

    #[test]
    fn two_subjects_are_interleaved_as_abba() {
        assert_eq!(orders(2, 2, 1), [[0, 1], [1, 0]]);
    }

    #[test]
    fn nobody_has_no_place() {
        assert_eq!(orders(0, 3, 1), [[0_usize; 0]; 3]);
    }

    #[test]
    fn verdicts_need_the_interval_and_the_size() {
        let ratio = |value, low, high| stats::Ratio { value, low, high };
        assert_eq!(judge(ratio(0.9, 0.85, 0.95), 0.03), Verdict::Faster);
        assert_eq!(judge(ratio(1.1, 1.05, 1.2), 0.03), Verdict::Slower);
        assert_eq!(judge(ratio(1.01, 0.99, 1.02), 0.03), Verdict::Same);
        assert_eq!(judge(ratio(1.1, 0.9, 1.3), 0.03), Verdict::Inconclusive);
        assert_eq!(judge(ratio(0.985, 0.96, 0.99), 0.03), Verdict::Inconclusive);
    }

    #[test]
    fn an_interval_needs_four_blocks() {
        let of = |blocks| Comparison {
            point: "ring".to_owned(),
            subject: "other".to_owned(),
            baseline: "bare-epoll".to_owned(),
            ratio: 1.1,
            low: 1.1,
            high: 1.1,
            blocks,
            threshold: 0.03,
            verdict: Verdict::Inconclusive,
        };
        assert_eq!(of(4).interval("-"), "1.100-1.100");
        assert_eq!(of(3).interval("-"), "n/a");
    }

    #[test]
    fn a_line_is_found_again() {
        let points = [1.0, 10.0, 100.0, 1000.0].map(|x| (x, 120.0 + 45.0 * x));
        let (a, b) = fit(&points).unwrap();
        assert!((a - 120.0).abs() < 1e-6 && (b - 45.0).abs() < 1e-9);
    }
}
