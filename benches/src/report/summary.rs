//! What a run says, in sentences: the answer before the evidence.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::groups;
use super::shown::Shown;
use super::words::{count, times};
use crate::method::compared;
use crate::method::schema::{AGAIN, Comparison, Document, Slice};
use crate::method::statistics::Verdict;

/// All sentences: which backend where, then one for each workload that decides anything, then what is
/// open.
pub fn sentences(documents: &[Document], all: &[Shown]) -> Vec<String> {
    let slices: Vec<&Slice> = documents
        .iter()
        .flat_map(|document| &document.slices)
        .collect();
    let mut sentences = backends(&slices);
    let (mut open, mut invalid) = (Vec::new(), Vec::new());
    for shown in all {
        let own: Vec<&Slice> = groups::of(&slices, shown.name);
        let said: Vec<String> = documents
            .iter()
            .filter_map(|document| verdicts(document, shown))
            .collect();
        match own.iter().any(|slice| slice.valid()) {
            _ if !said.is_empty() => sentences.extend(said),
            _ if own.is_empty() => {}
            true => open.push(shown.name),
            false => invalid.push(shown.name),
        }
    }
    for (words, names) in [
        ("Undecided", open),
        ("Nothing valid, so nothing can be said", invalid),
    ] {
        if !names.is_empty() {
            sentences.push(format!("{words}: {}.", names.join(", ")));
        }
    }
    sentences
}

/// How much poll and select cost beside epoll, at the sizes of the ring, and below which they are
/// cheaper.
fn backends(slices: &[&Slice]) -> Vec<String> {
    let rings = groups::of(slices, "ring");
    let mut costs = BTreeMap::<(usize, usize), BTreeMap<&str, f64>>::new();
    for (_, here) in compared::points(rings.iter().copied()) {
        let spec = &here[0].spec;
        let costs = costs
            .entry((spec.count("registered"), spec.count("active")))
            .or_default();
        for (subject, own) in groups::by_subject(&here) {
            // What is not to be believed is in no sentence.
            let cost = groups::median(&own, "ns_per_event").filter(|(_, valid)| *valid);
            costs.extend(cost.map(|(cost, _)| (subject, cost)));
        }
    }
    let call = |name: &str| {
        let mut ratios = Vec::new();
        for (&(registered, active), here) in &costs {
            let of = |kind: &str| {
                let ours = here.get(format!("ours-{kind}").as_str());
                ours.or(here.get(format!("bare-{kind}").as_str())).copied()
            };
            ratios.extend(
                of(name)
                    .zip(of("epoll"))
                    .map(|(one, epoll)| (registered, active, one / epoll)),
            );
        }
        said(name, &ratios)
    };
    ["poll", "select"].into_iter().filter_map(call).collect()
}

fn said(name: &str, ratios: &[(usize, usize, f64)]) -> Option<String> {
    let of_one = |&&(_, active, _): &&(usize, usize, f64)| active == 1;
    let most = ratios.iter().rfind(of_one).or(ratios.last())?;
    let put = |(registered, active, ratio): (usize, usize, f64)| {
        let are = if active == 1 { "is" } else { "are" };
        let cost = match ratio {
            more if more >= 1.0 => format!("{} times as much as epoll", times(ratio)),
            _ => format!("{:.0} % of what epoll costs", 100.0 * ratio),
        };
        format!("with {registered} connections of which {active} {are} active, {name} costs {cost}")
    };
    let mut words = put(*most).replacen("with", "With", 1);
    let crowd = ratios.iter().rfind(|one| one.1 > 1);
    if let Some(crowd) = crowd {
        let _ = write!(words, "; {}", put(*crowd));
    }
    let cheaper = ratios
        .iter()
        .filter(of_one)
        .take_while(|one| one.2 < 1.0)
        .last();
    let _ = match cheaper {
        Some((registered, _, _)) => {
            write!(words, "; with one active it is cheaper up to {registered}")
        }
        None => Ok(()),
    };
    Some(words + ".")
}

/// What is decided at the largest point of a workload, and what is not; nothing if nothing is.
fn verdicts(document: &Document, shown: &Shown) -> Option<String> {
    let of_it = document
        .slices
        .iter()
        .filter(|slice| slice.spec.workload == shown.name);
    let points = compared::points(of_it);
    // The one with most verdicts; of several the last, which is the largest.
    let decided = |name: &str| {
        let own = document
            .comparisons
            .iter()
            .filter(|one| one.point == name && one.decides());
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
    let (title, cost) = (
        shown.title,
        first.metric.trim_end_matches("_ns").replace('_', " "),
    );
    let place = place(slices);
    let mut said = format!(
        "{title} ({place}): {cost} beside that of {baseline}: {}",
        words.join(", ")
    );
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
    spec.choices
        .values()
        .cloned()
        .chain(numbers)
        .collect::<Vec<_>>()
        .join(", ")
}
