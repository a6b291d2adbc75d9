//! Axes: from numbers to places, and the round numbers in between.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

use super::{count, time};

#[derive(Clone, Copy)]
pub struct Axis {
    pub label: &'static str,
    /// A logarithmic one shows nothing at zero or below.
    pub logarithmic: bool,
    pub show: fn(f64) -> String,
}

/// Times, over as many decades as it takes; the label is the figure's to say.
pub const TIME: Axis = Axis { label: "time", logarithmic: true, show: time };
/// Numbers of something from zero on; the label is the figure's to say.
pub const COUNT: Axis = Axis { label: "count", logarithmic: false, show: count };

/// Places from one to another with ticks at some, as `plotters` asks for them.
pub struct Scale {
    range: (f64, f64),
    ticks: Vec<f64>,
}

impl Ranged for Scale {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (place - self.range.0) / (self.range.1 - self.range.0);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

impl Axis {
    pub const fn of(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    pub const fn log(self, label: &'static str) -> Self {
        Self { label, logarithmic: true, ..self }
    }

    pub fn scale(&self, range: (f64, f64)) -> Scale {
        Scale { range, ticks: self.ticks(range) }
    }

    pub fn place(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    pub fn value(&self, place: f64) -> f64 {
        if self.logarithmic { 10_f64.powf(place) } else { place }
    }

    /// Places that hold all of `values`, with some air; a linear axis begins at zero, so that lengths
    /// compare. Nothing of nothing.
    pub fn range(&self, values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
        let places = values.map(|value| self.place(value));
        let (low, high) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| {
            (low.min(place), high.max(place))
        });
        if !(low.is_finite() && high.is_finite()) {
            return None;
        }
        Some(match self.logarithmic {
            true => (low - 0.06, high.max(low + 0.1) + 0.06),
            false => (low.min(0.0), if high > low.min(0.0) { 1.05 * high } else { low + 1.0 }),
        })
    }

    pub fn ticks(&self, (low, high): (f64, f64)) -> Vec<f64> {
        let length = high - low;
        // Less than that is as good as linear, and its decades may lie outside.
        if self.logarithmic && length > 0.5 {
            let steps: &[f64] = match length {
                short if short < 0.9 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
                middle if middle < 2.5 => &[1.0, 2.0, 5.0],
                _ => &[1.0],
            };
            let powers = low.floor() as i32..=high.ceil() as i32;
            let ticks = powers.flat_map(|power| steps.iter().map(move |step| (step, power)));
            let places = ticks.map(|(step, power)| step.log10() + f64::from(power));
            return places.filter(|place| (low..=high).contains(place)).collect();
        }
        let (from, to) = (self.value(low), self.value(high));
        let rough = (to - from) / 6.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let first = (from / step).ceil();
        let ticks = (0..20).map(|index| (first + f64::from(index)) * step);
        ticks.take_while(|tick| *tick <= to).map(|tick| self.place(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_axis_has_ticks_too_and_all_lie_within() {
        for axis in [COUNT, TIME] {
            for (low, high) in [(23.0, 31.0), (91_000.0, 99_000.0), (3.0, 3.0), (1.0, 1e7)] {
                let range = axis.range([low, high].into_iter()).unwrap();
                let ticks = axis.ticks(range);
                assert!(ticks.len() >= 3, "{low} to {high}: {ticks:?}");
                assert!(ticks.iter().all(|tick| (range.0..=range.1).contains(tick)));
            }
        }
    }
}
