//! The gate: is a new run worse than an old one?
//!
//! Three things, in this order. Wrong: errors, lost replies, a backlog, or too little work, in the new
//! results and not in the base. Counts, exactly, noise or not. Times, where two sessions agree. Only
//! noise is an answer that is none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::method::{Document, Reason, Slice, statistics};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    Good,
    Regression,
    /// Too little could be compared to say so.
    Invalid,
}

/// Slices that are compared: a point and a subject.
type Key = (String, String);
type Rows<'a> = BTreeMap<Key, Vec<&'a Slice>>;

/// Work below this share of the base's is too little.
const LITTLE: f64 = 0.5;
/// What a workload has done, by the metrics that tell it, and whether that is as much as time allows.
const WORK: [(&str, bool); 7] = [
    ("replies", true),
    ("connections_served", true),
    ("events", true),
    ("wakes", true),
    ("sleeps", true),
    ("expired", false),
    ("switches", false),
];

/// Counts besides the system calls: each of them may only fall.
const COUNTS: [(&str, f64); 2] = [("allocations_per_task", 0.01), ("early", 0.0)];

pub fn judge(
    base: &Document,
    new: &[Document],
    threshold: f64,
) -> Result<(Ending, String), String> {
    if base.slices.is_empty() {
        return Err("the base has no slice: it judges nothing; make one with --json".to_owned());
    }
    let floors = new.iter().chain([base]).filter_map(|document| document.noise_floor);
    let threshold = floors.fold(threshold, |threshold, floor| threshold.max(2.0 * floor));
    let old = rows(base);
    let sessions: Vec<Rows<'_>> = new.iter().map(rows).collect();
    let mut text = String::new();
    let (mut worse, mut compared, mut unjudged) = (0, 0, 0);
    for (key, before) in &old {
        let now: Vec<&Vec<&Slice>> = sessions.iter().filter_map(|rows| rows.get(key)).collect();
        let found =
            now.iter().flat_map(|now| wrong(before, now).into_iter().chain(counts(before, now)));
        let mut found: Vec<String> = found.collect();
        let counted = now.iter().any(|now| medians(before, now, calls).is_some());
        let times = times(before, &now, threshold);
        let judged = times.is_some() || counted || !found.is_empty();
        let mut say = |what: &str, words: &str| {
            let _ = writeln!(text, "{what} {} {}: {words}", key.0, key.1);
        };
        match times.flatten() {
            Some(words) if now.len() >= 2 => found.push(words),
            Some(words) => say("suspicious", &format!("{words}; one session proves nothing")),
            None => {}
        }
        found.iter().for_each(|words| say("REGRESSION", words));
        worse += usize::from(!found.is_empty());
        compared += usize::from(judged);
        // What the base does not know it asks of nobody.
        let asked = now.is_empty() || before.iter().any(|slice| slice.valid());
        unjudged += usize::from(!judged && asked);
        match (now.is_empty(), judged) {
            (true, _) => say("MISSING", "the new files do not have it"),
            (_, true) => {}
            _ if asked => say("not judged", "all its new slices are invalid"),
            _ => say("not judged", "all its slices of the base are invalid"),
        }
    }
    if text.contains("MISSING") {
        text += "measure again with the command of the base, or make a new base\n";
    }
    let only_new = sessions.iter().flat_map(BTreeMap::keys).filter(|key| !old.contains_key(key));
    let only_new = only_new.collect::<BTreeSet<_>>().len();
    if only_new > 0 {
        text += &format!("{only_new} rows are new: the base has nothing to hold against them\n");
    }
    if compared == 0 {
        text += "nothing could be compared: the files have no row in common that noise has spared; \
                 give files of the same command\n";
    }
    let (percent, count) = (100.0 * threshold, new.len());
    let _ = writeln!(
        text,
        "{compared} of {} rows compared, {worse} worse, threshold {percent:.1} %, {count} new session(s)",
        old.len()
    );
    let finding = match (worse, compared, unjudged) {
        (1.., _, _) => Ending::Regression,
        // What was not judged may have become worse unseen.
        (0, 0, _) | (0, _, 1..) => Ending::Invalid,
        _ => Ending::Good,
    };
    Ok((finding, text))
}

fn rows(document: &Document) -> Rows<'_> {
    document.slices.iter().fold(Rows::new(), |mut rows, slice| {
        let key = (slice.spec.point(), slice.spec.subject.clone());
        rows.entry(key).or_default().push(slice);
        rows
    })
}

/// What the new slices do wrong that the old ones did not.
fn wrong(before: &[&Slice], now: &[&Slice]) -> Vec<String> {
    let flags = |slices: &[&Slice], reason: Reason| {
        let mut all = slices.iter().flat_map(|slice| &slice.flags);
        all.find(|flag| flag.reason == reason).map(|flag| flag.detail.clone())
    };
    let mut found = Vec::new();
    for reason in [Reason::Errors, Reason::Lost, Reason::Backlog, Reason::ResourceWall] {
        let detail = flags(now, reason).filter(|_| flags(before, reason).is_none());
        // Who is kept waiting for a CPU cannot keep up: with noise a backlog is nobody's fault.
        let wall = !matches!(reason, Reason::Errors | Reason::Lost);
        let excused = wall && now.iter().all(|slice| noisy(slice));
        found.extend(
            detail.filter(|_| !excused).map(|detail| format!("{}: {detail}", reason.code())),
        );
    }
    for (metric, in_time) in WORK {
        // Whoever is kept waiting does less.
        let quiet = |slice: &Slice| slice.valid() && !(in_time && noisy(slice));
        let each =
            |slice: &Slice| if in_time { slice.spec.milliseconds.max(1) as f64 } else { 1.0 };
        let of = |slice: &Slice| {
            let done = slice.metrics.get(metric).copied().filter(|_| quiet(slice))?;
            Some(done / each(slice))
        };
        if let Some((old, new)) = medians(before, now, of)
            && new < LITTLE * old
        {
            let each = if in_time { " each ms" } else { "" };
            found.push(format!("too little work: {old:.1} -> {new:.1} {metric}{each}"));
        }
    }
    // Something was measured then, and nothing is now, and nobody says that it was noise.
    let has = |slices: &[&Slice]| slices.iter().any(|slice| !slice.metrics.is_empty());
    if has(before) && !has(now) && found.is_empty() {
        found.push("nothing was measured".to_owned());
    }
    found
}

fn noisy(slice: &Slice) -> bool {
    slice.flags.iter().any(|flag| flag.reason.is_noise())
}

fn calls(slice: &Slice) -> Option<f64> {
    let total: f64 = slice.system_calls.values().sum();
    (total > 0.0 && slice.counts()).then_some(total)
}

fn counts(before: &[&Slice], now: &[&Slice]) -> Vec<String> {
    let mut found = Vec::new();
    if let Some((old, new)) = medians(before, now, calls)
        && new > old * 1.001
    {
        found.push(format!("{old:.3} -> {new:.3} system calls"));
    }
    for (metric, room) in COUNTS {
        let of = |slice: &Slice| slice.metrics.get(metric).copied().filter(|_| slice.counts());
        if let Some((old, new)) = medians(before, now, of)
            && new > old + room
        {
            found.push(format!("{old:.2} -> {new:.2} {metric}"));
        }
    }
    found
}

/// Whether times could be compared, and then in words how much slower all sessions are, if they are.
fn times(before: &[&Slice], now: &[&Vec<&Slice>], threshold: f64) -> Option<Option<String>> {
    before.first()?.spec.costs.iter().find_map(|metric| {
        let of = |slice: &Slice| slice.cost(metric).filter(|_| slice.valid());
        let both = now.iter().filter_map(|now| medians(before, now, of));
        let ratios: Vec<f64> = both.map(|(old, new)| new / old).collect();
        let slower = ratios.iter().all(|&ratio| ratio > 1.0 + threshold);
        let words: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        let words = slower.then(|| format!("{metric} x {}", words.join(", ")));
        (!ratios.is_empty()).then_some(words)
    })
}

/// The medians of a figure, before and now, if both have it.
fn medians(
    before: &[&Slice],
    now: &[&Slice],
    figure: impl Fn(&Slice) -> Option<f64>,
) -> Option<(f64, f64)> {
    let of = |slices: &[&Slice]| statistics::median(slices.iter().filter_map(|one| figure(one)));
    Some((of(before)?, of(now)?))
}
