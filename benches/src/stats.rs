//! The little statistics that paired measurements need.

/// Resamples of a bootstrap.
const RESAMPLES: usize = 10_000;

/// The middle value; the mean of the two middle ones if their number is even. Zero of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// A ratio with its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median.
    pub value: f64,
    /// Where the interval begins.
    pub low: f64,
    /// Where the interval ends.
    pub high: f64,
}

/// The median of ratios, given the logarithm of one ratio a block, and its interval by a
/// bootstrap over the blocks. The same blocks give the same interval: the generator is seeded.
pub fn ratio(log_ratios: &[f64]) -> Ratio {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        // xorshift64: plenty for choosing blocks.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit.max(1) as u64) as usize
    };
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let sample: Vec<f64> = log_ratios
                .iter()
                .map(|_| log_ratios[below(log_ratios.len())])
                .collect();
            median(&sample)
        })
        .collect();
    medians.sort_unstable_by(f64::total_cmp);
    Ratio {
        value: median(log_ratios).exp(),
        low: medians[RESAMPLES / 40].exp(),
        high: medians[RESAMPLES - 1 - RESAMPLES / 40].exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert!((median(&[4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
    }

    #[test]
    fn equal_blocks_give_an_interval_without_width() {
        let ratio = ratio(&[0.5_f64.ln(); 8]);
        assert!((ratio.value - 0.5).abs() < 1e-12);
        assert!((ratio.high - ratio.low).abs() < 1e-12);
    }

    #[test]
    fn the_interval_holds_the_median() {
        let ratio = ratio(&[0.1, -0.1, 0.2, 0.0, 0.05, 0.07]);
        assert!(ratio.low <= ratio.value && ratio.value <= ratio.high);
    }
}
