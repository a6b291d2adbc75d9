//! The gate: our deterministic counts against those of a file in the repository.

use std::collections::BTreeMap;
use std::fmt::Write;

use benches::report::files;
use benches::terminal::say;

use crate::Options;
use crate::counts::rows;
use crate::sheet::Sheet;

pub(crate) type Baseline = BTreeMap<(String, String), f64>;

/// Reads the baseline; one that holds nothing is refused.
pub(crate) fn read(options: &Options) -> Result<Baseline, String> {
    let path = options.baseline.display();
    let text = std::fs::read_to_string(&options.baseline)
        .map_err(|error| format!("{path}: {error}; --write-baseline makes one"))?;
    let baseline = parse(&text)?;
    match baseline.is_empty() {
        true => Err(format!("{path} has no count: it holds nothing; --write-baseline makes one")),
        false => Ok(baseline),
    }
}

/// Compares; prints each count that got worse, is gone, or may be written down as better. False if
/// one got worse or is gone; refused if the baseline lacks one, for nothing holds that one.
pub(crate) fn check(sheet: &Sheet, baseline: &Baseline, options: &Options) -> Result<bool, String> {
    let (mut worse, mut lacking) = (0, Vec::new());
    say("");
    for (family, row) in rows() {
        let Some(room) = row.room.filter(|_| options.wants(family.name, row)) else {
            continue;
        };
        for subject in &options.subjects {
            let of = format!("{} of {}", row.id, subject.name);
            let now = sheet.value(row.id, subject.name).filter(|now| now.is_finite());
            let before = baseline.get(&(subject.name.to_owned(), row.id.to_owned())).copied();
            let (what, room) = (row.what, before.map_or(0.0, room));
            match (now, before) {
                (Some(now), Some(before)) if now > before + room => {
                    worse += 1;
                    say(format_args!(
                        "WORSE: {of}: {what} is {now:.2}, was {before:.2}, room {room:.2}"
                    ));
                }
                (Some(now), Some(before)) if now < before - room => {
                    say(format_args!("better: {of}: {now:.2}, was {before:.2}"));
                }
                (None, Some(before)) => {
                    // What cannot be counted any more may be as bad as it likes.
                    worse += 1;
                    say(format_args!(
                        "GONE: {of}: it was not counted, the baseline has {before:.2}"
                    ));
                }
                (Some(_), None) => lacking.push(of),
                _ => {}
            }
        }
    }
    if worse > 0 {
        say(format_args!(
            "gates: {worse} counts are worse than the baseline; --profile shows where instructions \
             go; if the price is meant to be paid, --write-baseline and say why in the commit"
        ));
        return Ok(false);
    }
    if !lacking.is_empty() {
        let all = lacking.join(", ");
        return Err(format!("not in the baseline, so nothing holds them: {all}; --write-baseline"));
    }
    say("gates: no count is worse than the baseline");
    Ok(true)
}

/// Writes the counts down, for a later [`check`].
pub(crate) fn write(sheet: &Sheet, options: &Options) -> Result<(), String> {
    let mut text = String::from(
        "# Counts that a later change must not make worse; written by gates --write-baseline.\n\
         # subject\trow\tvalue\n",
    );
    let head = text.len();
    for (_, row) in rows() {
        for subject in &options.subjects {
            if let Some(value) = sheet.value(row.id, subject.name).filter(|one| one.is_finite()) {
                let _ = writeln!(text, "{}\t{}\t{value:.3}", subject.name, row.id);
            }
        }
    }
    if text.len() == head {
        return Err("nothing was counted: the baseline stays as it is".to_owned());
    }
    files::save(&options.baseline, Ok(text));
    Ok(())
}

fn parse(text: &str) -> Result<Baseline, String> {
    let mut baseline = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [subject, row, value] = columns[..] else {
            return Err(format!("not a line of a baseline: {line}"));
        };
        let value = value.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
        let value = value.ok_or_else(|| format!("not a count: {line}"))?;
        baseline.insert((subject.to_owned(), row.to_owned()), value);
    }
    Ok(baseline)
}
