//! Numbers and text as they are written in tables, charts and sentences.

pub fn count(value: f64) -> String {
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
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        short if short < 1e3 => count(short) + " ns",
        short if short < 1e6 => count(short / 1e3) + " \u{b5}s",
        short if short < 1e9 => count(short / 1e6) + " ms",
        long => count(long / 1e9) + " s",
    }
}

/// A figure with three digits at least where it has a fraction: what lies below one unit is not
/// nothing.
pub fn figure(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

/// How many times as much, as one says it: `30`, `2.4`, and the other way round below one.
pub fn times(ratio: f64) -> String {
    let most = ratio.max(1.0 / ratio);
    if most >= 9.95 { format!("{most:.0}") } else { format!("{most:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        let counts = [0.3, 1234.0, 12_345.0, 5e6].map(count);
        assert_eq!(counts, ["0.3", "1234", "12.3k", "5M"]);
        assert_eq!([999.0, 1500.0, 2e9].map(time), ["999 ns", "1.5 \u{b5}s", "2 s"]);
        let figures = [0.0, 0.0514, 7.25, 73.96, 146.4, 35_000_000.0].map(figure);
        assert_eq!(figures, ["0", "0.051", "7.25", "74.0", "146", "35000000"]);
        assert_eq!([30.2, 0.5, 1.26].map(times), ["30", "2.0", "1.3"]);
    }
}
