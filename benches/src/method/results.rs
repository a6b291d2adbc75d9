//! Reads results, and refuses what cannot be as it was measured: sums that must hold, histograms
//! that must decode and have the percentiles that are told of them, verdicts that follow from the
//! slices.

use super::{Document, SCHEMA, Slice, compared, histogram};

pub fn read(path: &str) -> Result<Document, String> {
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    parse(&text).map_err(|problem| format!("{path} {problem}"))
}

pub fn read_all(paths: &[String]) -> Result<Vec<Document>, String> {
    paths.iter().map(|path| read(path)).collect()
}

/// What a file says; an error continues a sentence that begins with the name of the file.
fn parse(text: &str) -> Result<Document, String> {
    const WRITE: &str = "results are written by --json FILE, and by matrix as results.json";
    if text.trim().is_empty() {
        return Err(
            "is empty: the run that should have written it did not end; run it again".into()
        );
    }
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| format!("is not JSON, or cut short ({error}); {WRITE}"))?;
    let Some(schema) = value.get("schema").and_then(|schema| schema.as_str()) else {
        return Err(format!("is JSON, but no result of selbench; {WRITE}"));
    };
    if schema != SCHEMA {
        return Err(format!(
            "is of the version {schema}, and this program reads {SCHEMA}: measure again, or \
             read it with the program that wrote it"
        ));
    }
    let document: Document = serde_json::from_value(value).map_err(|error| {
        format!(
            "is {SCHEMA}, but not as this program knows it ({error}): it was changed, or a \
             newer program wrote it; measure again, or read it with the program that wrote it"
        )
    })?;
    match edited(&document) {
        Some(what) => Err(format!("was edited, or damaged: {what}; measure again")),
        None => Ok(document),
    }
}

/// Why a file cannot be read, and what may have been meant.
fn unreadable(path: &str, error: &std::io::Error) -> String {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => "; is the name right?",
        std::io::ErrorKind::IsADirectory => ": give the file in it, such as results.json",
        std::io::ErrorKind::InvalidData => ": results are text, in JSON",
        _ => "",
    };
    format!("{path} cannot be read: {error}{hint}")
}

/// What cannot be in results as they were written, in words.
fn edited(document: &Document) -> Option<String> {
    document.slices.iter().find_map(of_slice).or_else(|| of_comparisons(document))
}

fn of_slice(slice: &Slice) -> Option<String> {
    let what = numbers(slice).or_else(|| histograms(slice)).or_else(|| sums(slice))?;
    Some(format!("{what} in {} of {}", slice.spec.point(), slice.spec.subject))
}

fn numbers(slice: &Slice) -> Option<String> {
    let calls = slice.system_calls.iter().find(|(_, each)| !each.is_finite() || **each < 0.0);
    let metric = slice.metrics.iter().find(|(_, value)| !value.is_finite());
    metric.or(calls).map(|(name, value)| format!("{name} is {value}"))
}

/// A histogram must decode, and what is told of it must be its own.
fn histograms(slice: &Slice) -> Option<String> {
    for (name, text) in &slice.histograms {
        let told = match histogram::decode(text) {
            Ok(told) => told,
            Err(problem) => return Some(format!("{name}: {problem}")),
        };
        let percentiles =
            histogram::PERCENTILES.map(|(word, share)| (word, told.value_at_percentile(share)));
        for (word, value) in percentiles.into_iter().chain([("max", told.max())]) {
            let metric = format!("{name}_{word}_ns");
            if slice.metrics.get(&metric).is_some_and(|&told| told != value as f64) {
                return Some(format!("{metric} is not that of its histogram"));
            }
        }
        let all = slice.metrics.get("replies").filter(|_| name == "service");
        if all.is_some_and(|&replies| replies != told.len() as f64) {
            return Some("the replies are not as many as in their histogram".to_owned());
        }
    }
    None
}

/// Figures that must be each other's product, or the mean of others.
fn sums(slice: &Slice) -> Option<String> {
    let number = |name: &str| slice.metrics.get(name).copied();
    let differ = |a: f64, b: f64| (a / b - 1.0).abs() > 1e-6;
    for each in ["ns_per_request", "ns_per_message", "ns_per_connection"] {
        if let (Some(rate), Some(ns)) = (number("rate"), number(each))
            && differ(rate * ns, 1e9)
        {
            return Some(format!("rate x {each} is not a second"));
        }
    }
    // What was served in time is not more than what was answered at all.
    let seconds = slice.spec.milliseconds as f64 / 1e3;
    let served = ["echo", "load", "fair"].contains(&slice.spec.workload.as_str());
    if let (true, Some(rate), Some(replies)) = (served, number("rate"), number("replies"))
        && rate * seconds > replies * (1.0 + 1e-6)
    {
        return Some("more was served than there are replies".to_owned());
    }
    if let (Some(event), Some(wait)) = (number("ns_per_event"), number("ns_per_wait"))
        && let Some(&waits) = slice.system_calls.get("wait")
        && differ(wait * waits, event)
    {
        return Some("ns_per_wait x waits is not ns_per_event".to_owned());
    }
    let mean = |values: &[f64]| {
        let logs = values.iter().map(|value| value.max(0.1).ln());
        (logs.sum::<f64>() / values.len() as f64).exp()
    };
    let cells: Vec<f64> = slice.cells.iter().map(|cell| cell.ns_per_turn).collect();
    if let Some(turn) = number("ns_per_turn")
        && !cells.is_empty()
        && differ(mean(&cells), turn)
    {
        return Some("ns_per_turn is not the mean of its cells".to_owned());
    }
    None
}

fn of_comparisons(document: &Document) -> Option<String> {
    if document.comparisons.is_empty() {
        return None;
    }
    let (_, found) = compared::compare(&document.slices, 0.0);
    let wrong = document.comparisons.iter().find(|told| {
        let same = found.iter().find(|one| one.point == told.point && one.subject == told.subject);
        same.is_none_or(|one| {
            (one.ratio / told.ratio - 1.0).abs() > 1e-6 || one.blocks != told.blocks
        })
    })?;
    Some(format!("the ratio of {} in {} is not that of its slices", wrong.subject, wrong.point))
}
