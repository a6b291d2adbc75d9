//! The gate: our deterministic counts against those of a file in the repository.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::arguments::Arguments;
use crate::rows::{self, Slack};
use crate::sheet::Sheet;

/// Compares; prints each count that got worse, or may be written down as better. False if one
/// got worse.
pub(crate) fn check(sheet: &Sheet, arguments: &Arguments) -> Result<bool, String> {
    let path = &arguments.baseline;
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}; --write-baseline makes one", path.display()))?;
    let baseline = parse(&text)?;
    let mut worse = 0;
    println!();
    for (_, row) in rows::all() {
        let Some(slack) = row.slack else { continue };
        for subject in &arguments.subjects {
            let Some(now) = sheet.value(row.id, subject.name) else {
                continue;
            };
            let key = (subject.name.to_owned(), row.id.to_owned());
            let Some(&before) = baseline.get(&key) else {
                println!("new: {} of {} is not in the baseline", row.id, subject.name);
                continue;
            };
            let room = room(slack, before);
            if now > before + room {
                worse += 1;
                println!(
                    "WORSE: {} of {}: {} {} is {now:.2}, the baseline {before:.2} and {room:.2} of room",
                    row.id, subject.name, row.what, row.unit
                );
            } else if now < before - room {
                println!(
                    "better: {} of {}: {now:.2}, was {before:.2}",
                    row.id, subject.name
                );
            }
        }
    }
    if worse == 0 {
        println!("gates: no count is worse than the baseline");
    } else {
        println!(
            "gates: {worse} counts are worse than the baseline; --profile shows where instructions \
             go; if the price is meant to be paid, --write-baseline and say why in the commit"
        );
    }
    Ok(worse == 0)
}

/// Writes the counts down, for a later [`check`].
pub(crate) fn write(sheet: &Sheet, arguments: &Arguments) -> Result<(), String> {
    let mut text = String::from(
        "# Counts that a later change must not make worse; written by gates --write-baseline.\n\
         # subject\trow\tvalue\n",
    );
    for (_, row) in rows::all() {
        for subject in &arguments.subjects {
            if let Some(value) = sheet.value(row.id, subject.name) {
                let _ = writeln!(text, "{}\t{}\t{value:.3}", subject.name, row.id);
            }
        }
    }
    let path = &arguments.baseline;
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn room(slack: Slack, before: f64) -> f64 {
    match slack {
        Slack::Part(part) => before * part,
        Slack::Amount(amount) => amount,
    }
}

fn parse(text: &str) -> Result<BTreeMap<(String, String), f64>, String> {
    let mut baseline = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let columns: Vec<&str> = line.split('\t').collect();
        let [subject, row, value] = columns[..] else {
            return Err(format!("not a line of a baseline: {line}"));
        };
        let value = value.parse().map_err(|_| format!("not a number: {line}"))?;
        baseline.insert((subject.to_owned(), row.to_owned()), value);
    }
    Ok(baseline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_read_back() {
        let baseline = parse("# words\nours\techo-instructions\t250.5\n").unwrap();
        let key = ("ours".to_owned(), "echo-instructions".to_owned());
        assert_eq!(baseline.get(&key), Some(&250.5));
    }

    #[test]
    fn five_percent_of_a_hundred_are_five() {
        assert!((room(Slack::Part(0.05), 100.0) - 5.0).abs() < 1e-9);
    }
}
