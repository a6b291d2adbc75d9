//! What a run says, in sentences: the answer before the evidence.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Shown, count, groups, times};
use crate::method::{
    AGAIN, Comparison, Document, FEWEST_BLOCKS, Ratio, Slice, Verdict, compared, statistics,
};

/// All sentences: which backend where, then one for each workload that decides anything, then what is
/// open.
pub fn sentences(documents: &[Document], all: &[Shown]) -> Vec<String> {
    let slices: Vec<&Slice> = documents.iter().flat_map(|document| &document.slices).collect();
    let mut sentences = backends(&slices);
    let (mut open, mut invalid) = (Vec::new(), Vec::new());
    for shown in all {
        let own: Vec<&Slice> = groups::of(&slices, shown.name);
        let said: Vec<String> =
            documents.iter().filter_map(|document| verdicts(document, shown)).collect();
        match own.iter().any(|slice| slice.valid()) {
            _ if !said.is_empty() => sentences.extend(said),
            _ if own.is_empty() => {}
            true => open.push(shown.name),
            false => invalid.push(shown.name),
        }
    }
    for (words, names) in [("Undecided", open), ("Nothing valid, so nothing can be said", invalid)]
    {
        if !names.is_empty() {
            sentences.push(format!("{words}: {}.", names.join(", ")));
        }
    }
    sentences
}

/// How much poll and select cost beside epoll, at the sizes of the ring, and below which they are
/// cheaper; over the blocks, so that what their interval leaves open is not said.
fn backends(slices: &[&Slice]) -> Vec<String> {
    let mut ratios = BTreeMap::<&str, BTreeMap<(usize, usize), Ratio>>::new();
    for (_, here) in compared::points(groups::of(slices, "ring")) {
        let cost = |call: &str, block: usize| {
            let of = |who: &str| {
                let name = format!("{who}-{call}");
                let own = |one: &&&Slice| one.spec.block == block && one.spec.subject == name;
                here.iter().find(own).filter(|one| one.valid())?.cost("ns_per_event")
            };
            of("ours").or_else(|| of("bare"))
        };
        let spec = &here[0].spec;
        let blocks = here.iter().map(|one| one.spec.block + 1).max().unwrap_or(0);
        for call in ["poll", "select"] {
            let log = |block| Some((cost(call, block)? / cost("epoll", block)?).ln());
            let logs: Vec<f64> = (0..blocks).filter_map(log).collect();
            if logs.len() >= FEWEST_BLOCKS {
                let place = (spec.count("registered"), spec.count("active"));
                ratios.entry(call).or_default().insert(place, statistics::ratio(&logs));
            }
        }
    }
    ratios.into_iter().filter_map(|(call, ratios)| said(call, &ratios)).collect()
}

fn said(name: &str, ratios: &BTreeMap<(usize, usize), Ratio>) -> Option<String> {
    let of_one = |&(&(_, active), _): &(&(usize, usize), &Ratio)| active == 1;
    let most = ratios.iter().rfind(of_one).or(ratios.last_key_value())?;
    let put = |(&(registered, active), ratio): (&(usize, usize), &Ratio)| {
        let are = if active == 1 { "is" } else { "are" };
        let cost = match *ratio {
            Ratio { value, low, .. } if low > 1.0 => {
                format!("costs {} times as much as epoll", times(value))
            }
            Ratio { value, high, .. } if high < 1.0 => {
                format!("costs {:.0} % of what epoll costs", 100.0 * value)
            }
            _ => "and epoll are undecided".to_owned(),
        };
        format!("with {registered} connections of which {active} {are} active, {name} {cost}")
    };
    let mut words = put(most).replacen("with", "With", 1);
    if let Some(crowd) = ratios.iter().rfind(|one| one.0.1 > 1) {
        let _ = write!(words, "; {}", put(crowd));
    }
    let cheaper = ratios.iter().filter(of_one).take_while(|one| one.1.high < 1.0).last();
    if let Some(((registered, _), _)) = cheaper {
        let _ = write!(words, "; with one active it is cheaper up to {registered}");
    }
    Some(words + ".")
}

/// What is decided at the largest point of a workload, and what is not; nothing if nothing is.
fn verdicts(document: &Document, shown: &Shown) -> Option<String> {
    let of_it = document.slices.iter().filter(|slice| slice.spec.workload == shown.name);
    let points = compared::points(of_it);
    // The one with most verdicts; of several the last, which is the largest.
    let decided = |name: &str| {
        let own = document.comparisons.iter().filter(|one| one.point == name && one.decides());
        own.filter(|one| !one.subject.ends_with(AGAIN)).count()
    };
    let (name, slices) = points.iter().max_by_key(|(name, _)| decided(name))?;
    let own = |one: &&Comparison| one.point == *name && !one.subject.ends_with(AGAIN);
    let mut here: Vec<&Comparison> = document.comparisons.iter().filter(own).collect();
    here.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let (mut words, mut undecided) = (Vec::new(), Vec::new());
    for one in &here {
        let subject = &one.subject;
        match one.verdict {
            Verdict::Slower => words.push(format!("{subject} {} times as much", times(one.ratio))),
            Verdict::Faster => words.push(format!("{subject} {:.0} % of it", 100.0 * one.ratio)),
            Verdict::Same => words.push(format!("{subject} the same")),
            Verdict::Undecided => undecided.push(subject.as_str()),
        }
    }
    let (first, baseline) = (here.first()?, compared::baseline(slices)?);
    if words.is_empty() {
        return None;
    }
    let (title, cost) = (shown.title, first.metric.trim_end_matches("_ns").replace('_', " "));
    let place = place(slices);
    let mut said =
        format!("{title} ({place}): {cost} beside that of {baseline}: {}", words.join(", "));
    if !undecided.is_empty() {
        let _ = write!(said, "; undecided: {}", undecided.join(", "));
    }
    Some(said + ".")
}

/// The numbers and words of a point that tell it from others.
fn place(slices: &[&Slice]) -> String {
    let spec = &slices[0].spec;
    let numbers = spec.parameters.iter().filter(|(_, value)| **value > 0.0);
    let numbers =
        numbers.map(|(name, value)| format!("{} {}", name.replace('_', " "), count(*value)));
    spec.choices.values().cloned().chain(numbers).collect::<Vec<_>>().join(", ")
}
