//! What a run says, in sentences: the answer before the evidence.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::groups;
use super::shown::Shown;
use super::words::{count, times};
use crate::method::compared;
use crate::method::schema::{AGAIN, Comparison, Document, Slice};
use crate::method::statistics::Verdict;

/// All sentences: which backend where, then one for each workload.
pub fn sentences(documents: &[Document], all: &[Shown]) -> Vec<String> {
    let slices: Vec<&Slice> = documents
        .iter()
        .flat_map(|document| &document.slices)
        .collect();
    let mut sentences = backends(&slices);
    for shown in all {
        let of_it = |document: &&Document| {
            document
                .slices
                .iter()
                .any(|one| one.spec.workload == shown.name)
        };
        sentences.extend(
            documents
                .iter()
                .filter(of_it)
                .filter_map(|document| verdicts(document, shown)),
        );
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
        let how = if ratio >= 1.0 {
            "as much as"
        } else {
            "less than"
        };
        format!(
            "with {registered} connections of which {active} active {name} costs {} times {how} epoll",
            times(ratio)
        )
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

/// What is decided at the largest point of a workload, and what is not.
fn verdicts(document: &Document, shown: &Shown) -> Option<String> {
    let of_it = document
        .slices
        .iter()
        .filter(|slice| slice.spec.workload == shown.name);
    let points = compared::points(of_it);
    let (name, slices) = points.last()?;
    let own = |one: &&Comparison| one.point == *name && !one.subject.ends_with(AGAIN);
    let mut here: Vec<&Comparison> = document.comparisons.iter().filter(own).collect();
    here.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let baseline = compared::baseline(slices)?;
    let (mut words, mut undecided) = (Vec::new(), Vec::new());
    for one in here {
        let subject = &one.subject;
        match one.verdict {
            Verdict::Slower => words.push(format!("{subject} {} times as much", times(one.ratio))),
            Verdict::Faster => words.push(format!("{subject} {} times less", times(one.ratio))),
            Verdict::Same => words.push(format!("{subject} the same")),
            Verdict::Undecided => undecided.push(subject.as_str()),
        }
    }
    if words.is_empty() {
        let valid = slices.iter().filter(|slice| slice.valid()).count();
        let of = slices.len();
        return Some(match valid {
            0 => format!(
                "{}: nothing can be said, {of} of {of} slices are invalid.",
                shown.title
            ),
            _ => format!("{} ({}): undecided.", shown.title, place(slices)),
        });
    }
    let mut said = format!(
        "{} ({}), beside {baseline}: {}",
        shown.title,
        place(slices),
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
