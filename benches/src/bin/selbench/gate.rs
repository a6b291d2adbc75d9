//! The gate: is a new run worse than an old one? Counts exactly; times when two sessions agree.

use std::collections::{BTreeMap, BTreeSet};

use benches::selbench::schema::{Document, Slice};
use benches::stats;

use crate::Ending;
use crate::arguments::Gate;

/// Slices that are compared: a point and a subject.
type Key = (String, String);

/// Compares and prints.
pub(crate) fn run(options: &Gate) -> Result<Ending, String> {
    let base = Document::read(&options.base)?;
    let new: Vec<Document> = options
        .new
        .iter()
        .map(|path| Document::read(path))
        .collect::<Result<_, _>>()?;
    let (ending, text) = judge(&base, &new, options.threshold / 100.0);
    print!("{text}");
    Ok(ending)
}

/// The verdict and its reasons.
fn judge(base: &Document, new: &[Document], threshold: f64) -> (Ending, String) {
    let floors = new
        .iter()
        .chain([base])
        .filter_map(|document| document.noise_floor);
    let threshold = floors.fold(threshold, |threshold, floor| threshold.max(2.0 * floor));
    let (old_costs, old_calls) = (costs(base), calls(base));
    let (mut text, missing) = unjudged(base, new);
    let (mut compared, mut worse) = (0, 0);
    for (key, old) in &old_calls {
        for document in new {
            let Some(now) = calls(document).remove(key) else {
                continue;
            };
            compared += 1;
            if now > old * 1.001 {
                worse += 1;
                text += &format!(
                    "REGRESSION {} {}: {old:.3} -> {now:.3} system calls\n",
                    key.0, key.1
                );
            }
        }
    }
    for (key, old) in &old_costs {
        let ratios: Vec<f64> = new
            .iter()
            .filter_map(|document| Some(costs(document).remove(key)? / old))
            .collect();
        if ratios.is_empty() {
            continue;
        }
        compared += 1;
        let slower = ratios.iter().all(|&ratio| ratio > 1.0 + threshold);
        let words: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        if slower && ratios.len() >= 2 {
            worse += 1;
            text += &format!(
                "REGRESSION {} {}: time x {}\n",
                key.0,
                key.1,
                words.join(", ")
            );
        } else if slower {
            text += &format!(
                "suspicious {} {}: time x {}; one session proves nothing\n",
                key.0, key.1, words[0]
            );
        }
    }
    if compared == 0 {
        text += "nothing could be compared: the files have no valid row in common; give files of \
                 the same command, measured on a quiet machine\n";
    }
    text += &format!(
        "{compared} figures compared, {worse} worse, threshold {:.1} %, {} new session(s)\n",
        100.0 * threshold,
        new.len()
    );
    let ending = match (compared, worse, missing) {
        (0, _, _) => Ending::Invalid,
        (_, 0, 0) => Ending::Good,
        // What was not measured again may have become worse unseen.
        (_, 0, _) => Ending::Invalid,
        _ => Ending::Regression,
    };
    (ending, text)
}

/// The rows of the base that no new file can be held against, in words, and how many of them were
/// not measured at all; also how many rows only the new files have.
fn unjudged(base: &Document, new: &[Document]) -> (String, usize) {
    let valid = |document: &Document| -> BTreeSet<Key> {
        let slices = document.slices.iter().filter(|slice| slice.valid());
        slices.map(key).collect()
    };
    let measured = |document: &Document| -> BTreeSet<Key> {
        document.slices.iter().map(key).collect::<BTreeSet<_>>()
    };
    let old = valid(base);
    let any: BTreeSet<Key> = new.iter().flat_map(measured).collect();
    let good: BTreeSet<Key> = new.iter().flat_map(valid).collect();
    let (mut text, mut missing) = (String::new(), 0);
    for row in old.difference(&good) {
        let (word, why) = if any.contains(row) {
            ("not judged", "all its new slices are invalid")
        } else {
            missing += 1;
            ("MISSING", "the new files do not have it")
        };
        text += &format!("{word} {} {}: {why}\n", row.0, row.1);
    }
    if missing > 0 {
        text += "measure again with the command of the base, or make a new base\n";
    }
    let base_has = measured(base);
    let only_new = any.difference(&base_has).count();
    if only_new > 0 {
        text += &format!("{only_new} rows are new: the base has nothing to hold against them\n");
    }
    let invalid = base_has.difference(&old).count();
    if invalid > 0 {
        text += &format!("{invalid} rows of the base are invalid, and judge nothing\n");
    }
    (text, missing)
}

fn key(slice: &Slice) -> Key {
    (slice.spec.point(), slice.spec.subject.clone())
}

fn costs(document: &Document) -> BTreeMap<Key, f64> {
    medians(document, Slice::cost)
}

fn calls(document: &Document) -> BTreeMap<Key, f64> {
    medians(document, |slice| {
        let total: f64 = slice.system_calls.values().sum();
        (total > 0.0).then_some(total)
    })
}

fn medians(document: &Document, figure: impl Fn(&Slice) -> Option<f64>) -> BTreeMap<Key, f64> {
    let mut all = BTreeMap::<Key, Vec<f64>>::new();
    for slice in document.slices.iter().filter(|slice| slice.valid()) {
        if let Some(figure) = figure(slice) {
            all.entry(key(slice)).or_default().push(figure);
        }
    }
    all.into_iter()
        .map(|(key, figures)| (key, stats::median(&figures)))
        .collect()
}
