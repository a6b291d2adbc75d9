//! The gate: our deterministic counts against those of a file in the repository.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::Options;
use crate::rows::{self, Slack};
use crate::sheet::Sheet;

/// Counts by subject and row.
pub(crate) type Baseline = BTreeMap<(String, String), f64>;

/// Reads the baseline.
///
/// # Errors
///
/// In words: there is none, or it is empty and holds nothing.
pub(crate) fn read(options: &Options) -> Result<Baseline, String> {
    let path = options.baseline.display();
    let text = std::fs::read_to_string(&options.baseline)
        .map_err(|error| format!("{path}: {error}; --write-baseline makes one"))?;
    let baseline = parse(&text)?;
    match baseline.is_empty() {
        true => Err(format!(
            "{path} has no count: it holds nothing; --write-baseline makes one"
        )),
        false => Ok(baseline),
    }
}

/// Compares; prints each count that got worse, is gone, or may be written down as better. False if one
/// got worse or is gone.
///
/// # Errors
///
/// In words: the baseline has nothing of what was asked for.
pub(crate) fn check(sheet: &Sheet, baseline: &Baseline, options: &Options) -> Result<bool, String> {
    let (mut worse, mut compared) = (0, 0);
    println!();
    for (family, row) in rows::all() {
        let Some(slack) = row.slack.filter(|_| options.wants(family.name, row)) else {
            continue;
        };
        for subject in &options.subjects {
            let key = (subject.name.to_owned(), row.id.to_owned());
            let of = format!("{} of {}", row.id, subject.name);
            let (now, before) = match (sheet.value(row.id, subject.name), baseline.get(&key)) {
                (Some(now), Some(&before)) if now.is_finite() => (now, before),
                (_, Some(before)) => {
                    // What cannot be counted any more may be as bad as it likes.
                    worse += 1;
                    println!("GONE: {of}: it could not be counted, the baseline has {before:.2}");
                    continue;
                }
                (Some(_), None) => {
                    println!("new: {of} is not in the baseline");
                    continue;
                }
                (None, None) => continue,
            };
            compared += 1;
            let room = room(slack, before);
            if now > before + room {
                worse += 1;
                println!(
                    "WORSE: {of}: {} {} is {now:.2}, the baseline {before:.2} and {room:.2} of room",
                    row.what, row.unit
                );
            } else if now < before - room {
                println!("better: {of}: {now:.2}, was {before:.2}");
            }
        }
    }
    if worse > 0 {
        println!(
            "gates: {worse} counts are worse than the baseline; --profile shows where instructions \
             go; if the price is meant to be paid, --write-baseline and say why in the commit"
        );
        return Ok(false);
    }
    if compared == 0 {
        return Err("nothing could be compared: the baseline has none of these rows".to_owned());
    }
    println!("gates: no count is worse than the baseline");
    Ok(true)
}

/// Writes the counts down, for a later [`check`].
///
/// # Errors
///
/// In words: nothing was counted, or the file cannot be written.
pub(crate) fn write(sheet: &Sheet, options: &Options) -> Result<(), String> {
    let mut text = String::from(
        "# Counts that a later change must not make worse; written by gates --write-baseline.\n\
         # subject\trow\tvalue\n",
    );
    let mut counted = 0;
    for (_, row) in rows::all() {
        for subject in &options.subjects {
            if let Some(value) = sheet.value(row.id, subject.name) {
                counted += 1;
                let _ = writeln!(text, "{}\t{}\t{value:.3}", subject.name, row.id);
            }
        }
    }
    if counted == 0 {
        return Err("nothing was counted: the baseline stays as it is".to_owned());
    }
    let path = &options.baseline;
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn room(slack: Slack, before: f64) -> f64 {
    match slack {
        Slack::Part(part) => before * part,
        Slack::Amount(amount) => amount,
    }
}

fn parse(text: &str) -> Result<Baseline, String> {
    let mut baseline = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let columns: Vec<&str> = line.split('\t').collect();
        let [subject, row, value] = columns[..] else {
            return Err(format!("not a line of a baseline: {line}"));
        };
        let value: f64 = value.parse().map_err(|_| format!("not a number: {line}"))?;
        if !value.is_finite() || value < 0.0 {
            return Err(format!("not a count: {line}"));
        }
        baseline.insert((subject.to_owned(), row.to_owned()), value);
    }
    Ok(baseline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_read_back_and_nonsense_is_refused() {
        let baseline = parse("# words\nours\techo-instructions\t250.5\n").unwrap();
        let key = ("ours".to_owned(), "echo-instructions".to_owned());
        assert_eq!(baseline.get(&key), Some(&250.5));
        for nonsense in [
            "ours\techo",
            "ours\techo\tmany",
            "ours\techo\tNaN",
            "ours\techo\t-1",
        ] {
            assert!(parse(nonsense).is_err(), "{nonsense}");
        }
        assert!((room(Slack::Part(0.05), 100.0) - 5.0).abs() < 1e-9);
    }
}
