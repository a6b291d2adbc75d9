//! The gate: is a new run worse than an old one? Counts exactly; times when two sessions agree.

use std::collections::BTreeMap;

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
    let mut text = String::new();
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
    text += &format!(
        "{compared} figures compared, {worse} worse, threshold {:.1} %, {} new session(s)\n",
        100.0 * threshold,
        new.len()
    );
    let ending = match (compared, worse) {
        (0, _) => Ending::Invalid,
        (_, 0) => Ending::Good,
        _ => Ending::Regression,
    };
    (ending, text)
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
