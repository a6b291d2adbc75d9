//! What the slices say about each other: the noise floor of the A/A pair at each point, then the
//! verdicts. A point without a pair of its own has the middle one of the others.

use std::collections::BTreeMap;

use super::{AGAIN, Comparison, FEWEST_BLOCKS, Slice, Verdict, checks, statistics};

/// The points of these slices in the order in which they first ran, each with its slices.
pub fn points<'a>(slices: impl IntoIterator<Item = &'a Slice>) -> Vec<(String, Vec<&'a Slice>)> {
    let mut points: Vec<(String, Vec<&Slice>)> = Vec::new();
    for slice in slices {
        let name = slice.spec.point();
        match points.iter_mut().rev().find(|point| point.0 == name) {
            Some(point) => point.1.push(slice),
            None => points.push((name, vec![slice])),
        }
    }
    points
}

/// The subjects of these slices, in the order in which they first ran.
pub fn subjects<'a>(slices: &[&'a Slice]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for slice in slices {
        if !names.contains(&slice.spec.subject.as_str()) {
            names.push(&slice.spec.subject);
        }
    }
    names
}

/// What the others among the slices of a point are compared with: what the slices say themselves,
/// or whoever ran first.
pub fn baseline<'a>(slices: &[&'a Slice]) -> Option<&'a str> {
    let all = subjects(slices);
    let told = slices.iter().map(|slice| slice.spec.baseline.as_str());
    told.into_iter().find(|name| all.contains(name)).or(all.first().copied())
}

/// Compares `subject` with `baseline` over the slices of a point, in the first of its costs that
/// enough blocks have valid of both. If none has, the ratio is of the blocks that there are, of
/// invalid ones if there are no others, and there is no verdict.
fn pair(slices: &[&Slice], subject: &str, baseline: &str, threshold: f64) -> Option<Comparison> {
    let first = slices.first()?;
    let blocks = slices.iter().map(|slice| slice.spec.block + 1).max()?;
    let cost = |name: &str, block: usize, metric: &str, any: bool| {
        let of_it = |slice: &&&Slice| slice.spec.block == block && slice.spec.subject == name;
        let slice = slices.iter().find(of_it)?;
        slice.cost(metric).filter(|_| any || slice.valid())
    };
    let logs = |metric: &str, any: bool| -> Vec<f64> {
        let log = |block: usize| {
            let against = cost(baseline, block, metric, any)?;
            let log = (cost(subject, block, metric, any)? / against).ln();
            // Against next to nothing any ratio would do.
            (against >= first.spec.least).then_some(log)
        };
        (0..blocks).filter_map(log).collect()
    };
    let costs = &first.spec.costs;
    let all: Vec<_> = costs.iter().map(|metric| (metric, logs(metric, false))).collect();
    // The first one that is enough, else the one with most blocks.
    let enough = all.iter().find(|(_, logs)| logs.len() >= FEWEST_BLOCKS);
    let (metric, valid) = enough.or(all.iter().rev().max_by_key(|(_, logs)| logs.len()))?;
    let paired = valid.len();
    let logs = if paired == 0 { logs(metric, true) } else { valid.clone() };
    if logs.is_empty() {
        return None;
    }
    let ratio = statistics::ratio(&logs);
    let verdict = match paired {
        FEWEST_BLOCKS.. => statistics::judge(ratio, threshold),
        _ => Verdict::Undecided,
    };
    Some(Comparison {
        point: first.spec.point(),
        subject: subject.to_owned(),
        baseline: baseline.to_owned(),
        metric: (*metric).clone(),
        ratio: ratio.value,
        low: ratio.low,
        high: ratio.high,
        blocks: paired,
        threshold,
        verdict,
    })
}

/// The median of the noise floors, and each subject beside the baseline of its point.
pub fn compare(slices: &[Slice], least: f64) -> (Option<f64>, Vec<Comparison>) {
    let points: Vec<(String, Vec<&Slice>)> = points(slices);
    let floor = |(name, here): &(String, Vec<&Slice>)| {
        let baseline = baseline(here)?;
        let same = pair(here, &format!("{baseline}{AGAIN}"), baseline, 0.0)?;
        (same.blocks >= FEWEST_BLOCKS).then(|| (name.clone(), same.half_width()))
    };
    let floors: BTreeMap<String, f64> = points.iter().filter_map(floor).collect();
    let middle = statistics::median(floors.values().copied());
    let mut comparisons = Vec::new();
    for (name, here) in &points {
        let Some(baseline) = baseline(here) else {
            continue;
        };
        let floor = floors.get(name).copied().or(middle).unwrap_or(0.0);
        let threshold = least.max(2.0 * floor);
        let others = subjects(here).into_iter().filter(|&subject| subject != baseline);
        comparisons.extend(others.filter_map(|subject| pair(here, subject, baseline, threshold)));
    }
    (middle, comparisons)
}

/// Whether all intervals of `subjects` beside the first one, over the slices of a point, are within
/// `threshold`, so that more blocks would tell nothing new. How wide they are is asked, not where
/// they lie: waiting for a difference to appear would find one in the end.
pub fn is_clear(slices: &[&Slice], subjects: &[String], threshold: f64) -> bool {
    subjects.iter().skip(1).all(|subject| {
        pair(slices, subject, &subjects[0], threshold)
            .is_some_and(|one| one.blocks >= FEWEST_BLOCKS && one.half_width() <= threshold)
    })
}

/// Curves over N that cannot be make all their rows suspicious.
pub fn shapes(slices: &mut [Slice]) {
    let of_ring = |slice: &Slice| slice.spec.workload == "ring" && slice.spec.count("active") == 1;
    let mut curves = BTreeMap::<String, BTreeMap<usize, Vec<f64>>>::new();
    for slice in slices.iter().filter(|slice| of_ring(slice) && slice.valid()) {
        let curve = curves.entry(slice.spec.subject.clone()).or_default();
        let here = curve.entry(slice.spec.count("registered")).or_default();
        here.extend(slice.cost("ns_per_event"));
    }
    for (name, curve) in curves {
        // Of so few, noise makes any shape.
        let medians = curve.into_iter();
        let medians = medians.filter_map(|(size, costs)| Some((size, statistics::median(costs)?)));
        let Some(flag) = checks::shape(&name, &medians.collect::<Vec<_>>()) else {
            continue;
        };
        let of_it = |slice: &&mut Slice| of_ring(slice) && slice.spec.subject == name;
        for slice in slices.iter_mut().filter(of_it) {
            slice.flags.push(flag.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::schema::Spec;

    fn slice(registered: f64, subject: &str, block: usize, metrics: &[(&str, f64)]) -> Slice {
        let mut spec = Spec { block, least: 1.0, ..Spec::default() };
        spec.subject = subject.to_owned();
        spec.baseline = "bare".to_owned();
        spec.costs = ["p99", "p50"].map(str::to_owned).to_vec();
        spec.set("registered", registered);
        let metrics = metrics.iter().map(|(name, value)| ((*name).to_owned(), *value));
        Slice { spec, metrics: metrics.collect(), ..Slice::default() }
    }

    fn of(blocks: &[(f64, f64)]) -> Vec<Slice> {
        let both = |(block, &(bare, other)): (usize, &(f64, f64))| {
            [("bare", bare), ("other", other)]
                .map(|(name, cost)| slice(1.0, name, block, &[("p99", cost)]))
        };
        blocks.iter().enumerate().flat_map(both).collect()
    }

    #[test]
    fn a_point_is_clear_when_its_intervals_are_narrow_wherever_they_lie() {
        let subjects = ["bare".to_owned(), "other".to_owned()];
        let clear =
            |costs: &[(f64, f64)]| is_clear(&of(costs).iter().collect::<Vec<_>>(), &subjects, 0.03);
        assert!(clear(&[(100.0, 100.5); 5]));
        assert!(clear(&[(100.0, 250.0), (90.0, 226.0), (80.0, 200.0), (100.0, 251.0)]));
        assert!(!clear(&[(100.0, 100.0); 3]), "too few blocks");
        assert!(!clear(&[(100.0, 90.0), (100.0, 120.0), (100.0, 100.0), (100.0, 140.0)]));
    }

    #[test]
    fn a_point_is_judged_by_the_noise_of_its_own_pair() {
        let mut slices = Vec::new();
        for block in 0..4_usize {
            let wide = [80.0, 120.0, 90.0, 110.0][block];
            for (registered, again) in [(1.0, Some(100.0)), (2.0, Some(wide)), (3.0, None)] {
                slices.push(slice(registered, "bare", block, &[("p99", 100.0)]));
                slices.push(slice(registered, "other", block, &[("p99", 110.0)]));
                slices
                    .extend(again.map(|cost| slice(registered, "bare'", block, &[("p99", cost)])));
            }
        }
        let (floor, all) = compare(&slices, 0.03);
        let of_other: Vec<&Comparison> = all.iter().filter(|one| one.subject == "other").collect();
        assert_eq!(of_other[0].threshold, 0.03, "a steady pair leaves what was asked for");
        assert!(of_other[1].threshold > 0.2);
        assert_eq!(of_other[2].threshold, 2.0 * floor.unwrap(), "the median of the pairs");
        let verdicts = [0, 1].map(|place| of_other[place].verdict);
        assert_eq!(verdicts, [Verdict::Slower, Verdict::Undecided], "not the same within 40 %");
    }

    #[test]
    fn what_noise_took_away_is_not_compared_and_next_to_nothing_is_no_measure() {
        let mut slices = Vec::new();
        for block in 0..5 {
            // One block alone has a p99 of both.
            let both = [("p99", 10.0), ("p50", 2.0)];
            let metrics = if block == 0 { &both[..] } else { &both[1..] };
            slices.extend(["bare", "other"].map(|name| slice(1.0, name, block, metrics)));
            slices.push(slice(2.0, "bare", block, &[("p50", 0.5)]));
            slices.push(slice(2.0, "other", block, &[("p50", 400.0)]));
        }
        let (_, all) = compare(&slices, 0.03);
        assert_eq!(all.len(), 1, "{all:?}");
        assert_eq!((all[0].metric.as_str(), all[0].blocks), ("p50", 5));
        assert_eq!(all[0].interval("-"), "1.000-1.000");
        let few = compare(&of(&[(1.0, 2.0); 3]), 0.03).1;
        assert_eq!((few[0].verdict, few[0].interval("-").as_str()), (Verdict::Undecided, "n/a"));
    }
}
