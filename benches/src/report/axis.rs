//! Axes: logarithmic ones, with round numbers however short they are.

use plotters::coord::ranged1d::{DefaultFormatting, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{BindKeyPoints, IntoLogRange};

use super::{count, time};

/// Nothing is shown at zero or below.
#[derive(Clone, Copy)]
pub struct Axis {
    pub label: &'static str,
    pub show: fn(f64) -> String,
}

pub const TIME: Axis = Axis { label: "time", show: time };
pub const COUNT: Axis = Axis { label: "count", show: count };

impl Axis {
    pub const fn of(self, label: &'static str) -> Self {
        Self { label, ..self }
    }
}

/// The coordinates that hold all of `values`, with some air; nothing of nothing.
pub fn scale(
    values: impl Iterator<Item = f64>,
) -> Option<impl Ranged<ValueType = f64, FormatOption = DefaultFormatting>> {
    let (low, high) = values
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (0.87 * low, 1.15 * high.max(1.1 * low));
    low.is_finite().then(|| (low..high).log_scale().with_key_points(ticks(low, high)))
}

fn ticks(low: f64, high: f64) -> Vec<f64> {
    let steps: [&[f64]; 3] = [&[1.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0]];
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let within = |steps: &[f64]| -> Vec<f64> {
        let all = powers.clone().flat_map(|power| steps.iter().map(move |one| (one, power)));
        let all = all.map(|(step, power)| step * 10_f64.powi(power));
        all.filter(|tick| (low..=high).contains(tick)).collect()
    };
    let round = steps.into_iter().map(within).find(|ticks| ticks.len() >= 4);
    round.unwrap_or_else(|| RangedCoordf64::from(low..high).key_points(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_axis_has_ticks_too_and_all_lie_within() {
        for (low, high) in [(23.0, 31.0), (91_000.0, 99_000.0), (3.0, 3.3), (1.0, 1e7)] {
            let ticks = ticks(low, high);
            assert!(ticks.len() >= 3, "{low} to {high}: {ticks:?}");
            assert!(ticks.iter().all(|tick| (low..=high).contains(tick)));
        }
    }
}
