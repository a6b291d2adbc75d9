//! Axes: from numbers to places, the round numbers in between, and how they are written.

/// An axis: what it shows and how.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// With the unit, unless `show` writes one beside each number.
    pub(super) label: &'static str,
    /// A logarithmic one shows nothing at zero or below.
    pub(super) logarithmic: bool,
    /// What a number looks like.
    pub(super) show: fn(f64) -> String,
}

/// Times, over as many decades as it takes; the label is the figure's to say.
pub(super) const TIME: Axis = Axis {
    label: "time",
    logarithmic: true,
    show: time,
};

/// Numbers of something from zero on; the label is the figure's to say.
pub(super) const COUNT: Axis = Axis {
    label: "count",
    logarithmic: false,
    show: count,
};

/// An axis with the range of its values, laid from one place to another.
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// A scale that holds all of `values`; a linear one begins at zero, so that lengths compare.
    pub(super) fn of(
        values: impl Iterator<Item = f64> + Clone,
        axis: &Axis,
        (from, to): (f64, f64),
    ) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let high = values.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if axis.logarithmic {
            (low / 1.15, high * 1.15)
        } else {
            (0.0, high * 1.05)
        };
        Self {
            low,
            high: if high > low { high } else { low + 1.0 },
            logarithmic: axis.logarithmic,
            from,
            to,
        }
    }

    /// Where a value lies.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Round numbers within; on short logarithmic axes those between the decades as well.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        // Less than that is as good as linear, and its decades may lie outside.
        if self.logarithmic && decades > 0.5 {
            let steps: &[f64] = match decades {
                narrow if narrow < 0.8 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
                middle if middle < 2.5 => &[1.0, 2.0, 5.0],
                _ => &[1.0],
            };
            let first = self.low.log10().floor() as i32;
            let last = self.high.log10().ceil() as i32;
            return (first..=last)
                .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
                .filter(|&tick| tick >= self.low && tick <= self.high)
                .collect();
        }
        let rough = (self.high - self.low) / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|step| step * power)
            .into_iter()
            .find(|&step| step >= rough)
            .unwrap_or(rough);
        let first = (self.low / step).ceil();
        (0..)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|&tick| tick <= self.high)
            .collect()
    }

    /// The ticks, each with its place and its words, less those whose words would touch the ones
    /// before; `width` tells how much room words take along this axis.
    pub(super) fn labelled(&self, axis: &Axis, width: impl Fn(&str) -> f64) -> Vec<(f64, String)> {
        let mut kept: Vec<(f64, String)> = Vec::new();
        for tick in self.ticks() {
            let (at, words) = (self.at(tick), (axis.show)(tick));
            let free = kept.last().is_none_or(|(before, others)| {
                (at - before).abs() >= f64::midpoint(width(others), width(&words))
            });
            if free {
                kept.push((at, words));
            }
        }
        kept
    }
}

/// The least distance between two lines of words.
pub(super) const LINE: f64 = 16.0;

/// About how wide words are, with a little air on both sides.
pub(super) fn width(words: &str) -> f64 {
    10.0 + 6.6 * words.chars().count() as f64
}

/// A count, short, to three digits.
pub(super) fn count(value: f64) -> String {
    let digits = |value: f64| {
        let scale = match value.abs() {
            large if large >= 100.0 => 1.0,
            middle if middle >= 10.0 => 10.0,
            small if small >= 1.0 => 100.0,
            _ => 1000.0,
        };
        format!("{}", (value * scale).round() / scale)
    };
    match value.abs() {
        large if large >= 1e6 => digits(value / 1e6) + "M",
        middle if middle >= 1e4 => digits(value / 1e3) + "k",
        _ => digits(value),
    }
}

/// Nanoseconds in the unit that suits them.
pub(super) fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        short if short < 1e3 => count(short) + " ns",
        short if short < 1e6 => count(short / 1e3) + " \u{b5}s",
        short if short < 1e9 => count(short / 1e6) + " ms",
        long => count(long / 1e9) + " s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        assert_eq!(count(0.3), "0.3");
        assert_eq!(count(1234.0), "1234");
        assert_eq!(count(12_345.0), "12.3k");
        assert_eq!(count(5e6), "5M");
        assert_eq!(time(999.0), "999 ns");
        assert_eq!(time(1500.0), "1.5 \u{b5}s");
        assert_eq!(time(2e9), "2 s");
    }

    #[test]
    fn a_short_logarithmic_axis_has_ticks_too() {
        let axis = Axis {
            logarithmic: true,
            ..COUNT
        };
        for (low, high) in [(23.0, 31.0), (91_000.0, 99_000.0), (3.0, 3.0)] {
            let scale = Scale::of([low, high].into_iter(), &axis, (0.0, 600.0));
            let ticks = scale.ticks();
            assert!(ticks.len() >= 3, "{low} to {high}: {ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|&tick| (0.0..=600.0).contains(&scale.at(tick)))
            );
        }
    }

    #[test]
    fn words_on_an_axis_never_touch() {
        let values = (1..=20).map(f64::from);
        for to in [60.0, 200.0, 800.0] {
            for axis in [
                COUNT,
                Axis {
                    logarithmic: true,
                    ..COUNT
                },
            ] {
                let scale = Scale::of(values.clone(), &axis, (0.0, to));
                let labels = scale.labelled(&axis, width);
                assert!(!labels.is_empty());
                for pair in labels.windows(2) {
                    let room = f64::midpoint(width(&pair[0].1), width(&pair[1].1));
                    assert!(pair[1].0 - pair[0].0 >= room, "{pair:?} on {to}");
                }
            }
        }
    }
}
