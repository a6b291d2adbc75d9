//! Histograms: 3 significant digits from 1 ns to 60 s, recorded as they are, never corrected.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

const HIGHEST: u64 = 60_000_000_000;
/// Samples that must lie beyond a percentile before it is told.
const BEYOND: f64 = 100.0;

pub const PERCENTILES: [(&str, f64); 5] =
    [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p999", 99.9), ("p9999", 99.99)];

/// An empty histogram of nanoseconds.
pub fn new() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST, 3).expect("these bounds are legal")
}

/// Records a time; what is longer than a minute counts as a minute.
#[inline]
pub fn record(histogram: &mut Histogram<u64>, nanoseconds: u64) {
    histogram.saturating_record(nanoseconds);
}

/// The time that `percentile` percent of the samples do not exceed, in nanoseconds; nothing when
/// fewer than 100 samples lie beyond it, for then it is the luck of a few.
pub fn percentile(histogram: &Histogram<u64>, percentile: f64) -> Option<f64> {
    let beyond = histogram.len() as f64 * (100.0 - percentile) / 100.0;
    // The bound is exact in decimal and not in binary.
    (beyond >= BEYOND - 1e-6).then(|| histogram.value_at_percentile(percentile) as f64)
}

pub fn encode(histogram: &Histogram<u64>) -> Result<String, String> {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(|error| format!("a histogram cannot be written: {error:?}"))?;
    Ok(BASE64.encode(&bytes))
}

/// Reads what [`encode`] wrote.
pub fn decode(text: &str) -> Option<Histogram<u64>> {
    let bytes = BASE64.decode(text).ok()?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_of_few_samples_is_not_told() {
        let mut histogram = new();
        for value in 1..=10_000 {
            record(&mut histogram, value * 1000);
        }
        assert!(percentile(&histogram, 99.0).is_some());
        assert!(percentile(&histogram, 99.9).is_none());
    }
}
