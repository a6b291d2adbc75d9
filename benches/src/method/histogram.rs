//! Histograms: 3 significant digits from 100 ns (of wakes from 1 ns) to 60 s, recorded as they are, never corrected.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

/// The shortest time that is told apart from the next.
const LOWEST: u64 = 100;
const HIGHEST: u64 = 60_000_000_000;
/// Slots of a bucket: the power of two that holds twice 10^3, for three digits.
const SUB_BUCKETS: usize = 2048;
/// Samples that must lie beyond a percentile before it is told.
const BEYOND: f64 = 100.0;

pub const PERCENTILES: [(&str, f64); 5] =
    [("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("p999", 99.9), ("p9999", 99.99)];

/// An empty histogram of nanoseconds.
///
/// # Panics
///
/// Never: its bounds are constants that the crate accepts.
pub fn new() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST, HIGHEST, 3).expect("these bounds are legal")
}

/// An empty histogram for what may take less than 100 ns, told apart from 1 ns.
///
/// # Panics
///
/// Never: its bounds are constants that the crate accepts.
pub fn fine() -> Histogram<u64> {
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
pub fn decode(text: &str) -> Result<Histogram<u64>, String> {
    let bytes =
        BASE64.decode(text).map_err(|error| format!("a histogram is not base64: {error}"))?;
    Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| format!("a histogram cannot be read: {error:?}"))
}

/// The percentile text of HdrHistogram's own `outputPercentileDistribution`, line for line, as its
/// plotters read it; values in microseconds.
pub fn hgrm(histogram: &Histogram<u64>) -> String {
    let mut text = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let mut seen = 0;
    for value in histogram.iter_quantiles(5) {
        seen += value.count_since_last_iteration();
        let quantile = value.quantile_iterated_to();
        let micros = value.value_iterated_to() as f64 / 1e3;
        text += &format!("{micros:12.3} {quantile:1.12} {seen:10}");
        // The last line has no fourth column: it would be infinite.
        if quantile < 1.0 {
            text += &format!(" {:14.2}", 1.0 / (1.0 - quantile));
        }
        text += "\n";
    }
    text + &format!(
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]\n\
         #[Max     = {:12.3}, Total count    = {:12}]\n\
         #[Buckets = {:12}, SubBuckets     = {:12}]\n",
        histogram.mean() / 1e3,
        histogram.stdev() / 1e3,
        histogram.max() as f64 / 1e3,
        histogram.len(),
        histogram.buckets(),
        SUB_BUCKETS
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut histogram = new();
        for value in [150, 2_000, 3_000_000, 59_000_000_000] {
            record(&mut histogram, value);
        }
        let text = encode(&histogram).unwrap();
        assert!(text.starts_with("HISTF"), "the mark of V2 compressed: {text}");
        assert_eq!(decode(&text).unwrap(), histogram);
    }

    #[test]
    fn the_text_is_line_for_line_that_of_hdrhistogram() {
        let mut histogram = new();
        for value in [100_000, 200_000, 400_000] {
            record(&mut histogram, value);
        }
        let text = hgrm(&histogram);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
        assert_eq!(lines[1], "");
        let rows: Vec<Vec<f64>> = lines[2..lines.len() - 3]
            .iter()
            .map(|line| line.split_whitespace().map(|word| word.parse().unwrap()).collect())
            .collect();
        let (last, others) = rows.split_last().unwrap();
        assert!(others.iter().all(|row| row.len() == 4), "{text}");
        // Values are told by the end of their slot: 400 us is within three digits.
        assert!((last[0] - 400.0).abs() < 0.4 && last[1..] == [1.0, 3.0], "{text}");
        assert!(lines[lines.len() - 3].starts_with("#[Mean    =      233."), "{text}");
        assert!(lines[lines.len() - 2].ends_with("Total count    =            3]"), "{text}");
        assert!(lines[lines.len() - 1].starts_with("#[Buckets ="), "{text}");
    }

    #[test]
    fn a_fine_histogram_tells_every_nanosecond_of_a_microsecond() {
        let mut histogram = fine();
        let times = [1, 2, 63, 64, 131, 999];
        for time in times {
            record(&mut histogram, time);
        }
        assert!(times.iter().all(|&time| histogram.count_at(time) == 1));
        let again = decode(&encode(&histogram).unwrap()).unwrap();
        assert!(times.iter().all(|&time| again.count_at(time) == 1));
    }

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
