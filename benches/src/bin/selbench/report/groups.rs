//! Which slices a figure is made of, and the medians over them.

use benches::selbench::histogram;
use benches::selbench::schema::{Slice, Workload};
use benches::stats;

use super::series::{Point, Series};

/// Subjects in the order of their names, the selectors or the runtimes: each keeps its colour in
/// all figures of its kind.
pub(super) struct Colours {
    selectors: Vec<String>,
    runtimes: Vec<String>,
}

impl Colours {
    /// The colours of all subjects of these slices.
    pub(super) fn of(slices: &[&Slice]) -> Self {
        let mut colours = Self {
            selectors: Vec::new(),
            runtimes: Vec::new(),
        };
        for slice in slices {
            let names = colours.kind_mut(slice.spec.workload);
            if let Err(place) = names.binary_search(&slice.spec.subject) {
                names.insert(place, slice.spec.subject.clone());
            }
        }
        colours
    }

    fn kind_mut(&mut self, workload: Workload) -> &mut Vec<String> {
        if of_selectors(workload) {
            &mut self.selectors
        } else {
            &mut self.runtimes
        }
    }

    /// The colour of a subject in figures of this workload.
    pub(super) fn get(&self, workload: Workload, subject: &str) -> usize {
        let names = if of_selectors(workload) {
            &self.selectors
        } else {
            &self.runtimes
        };
        let found = names.binary_search_by(|name| name.as_str().cmp(subject));
        found.unwrap_or(0)
    }
}

/// Whether the subjects of a workload are selectors, and not the loops built on them.
fn of_selectors(workload: Workload) -> bool {
    matches!(
        workload,
        Workload::Ring | Workload::Map | Workload::Register
    )
}

/// Slices of one workload.
pub(super) fn of<'a>(slices: &[&'a Slice], workload: Workload) -> Vec<&'a Slice> {
    slices
        .iter()
        .copied()
        .filter(|slice| slice.spec.workload == workload)
        .collect()
}

/// Slices by subject, in the order of the names: the blocks ran them in random order.
pub(super) fn by_subject<'a>(slices: &[&'a Slice]) -> Vec<(&'a str, Vec<&'a Slice>)> {
    let mut groups = gather(slices.iter().copied(), |slice| slice.spec.subject.as_str());
    groups.sort_by_key(|group| group.0);
    groups
}

/// Things that share whatever `key` says, in the order in which it first appears.
pub(super) fn gather<T: Copy, K: PartialEq>(
    things: impl IntoIterator<Item = T>,
    key: impl Fn(T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for thing in things {
        let key = key(thing);
        match groups.iter_mut().find(|group| group.0 == key) {
            Some(group) => group.1.push(thing),
            None => groups.push((key, vec![thing])),
        }
    }
    groups
}

/// The valid ones, and whether there were any; all if there were none.
pub(super) fn believable<'a>(slices: &[&'a Slice]) -> (Vec<&'a Slice>, bool) {
    let valid: Vec<&Slice> = slices
        .iter()
        .copied()
        .filter(|slice| slice.valid())
        .collect();
    if valid.is_empty() {
        (slices.to_vec(), false)
    } else {
        (valid, true)
    }
}

/// The median of a metric over the believable slices, and whether these were valid.
pub(super) fn median(slices: &[&Slice], metric: &str) -> Option<(f64, bool)> {
    // A slice without the figure says nothing about it, however valid it is.
    let having: Vec<&Slice> = slices
        .iter()
        .copied()
        .filter(|slice| slice.metrics.contains_key(metric))
        .collect();
    let (having, valid) = believable(&having);
    let figures: Vec<f64> = having.iter().map(|slice| slice.metrics[metric]).collect();
    (!figures.is_empty()).then(|| (stats::median(&figures), valid))
}

/// The medians of a metric over the slices that share the parameter `along`.
pub(super) fn curve(slices: &[&Slice], along: &str, metric: &str) -> Vec<Point> {
    let mut places = gather(slices.iter().copied(), |slice| slice.spec.number(along));
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    places
        .into_iter()
        .filter_map(|(x, here)| {
            let (y, valid) = median(&here, metric)?;
            Some(Point { x, y, valid })
        })
        .collect()
}

/// A curve for each subject, through the points that `points` finds for its slices.
pub(super) fn curves(
    slices: &[&Slice],
    colours: &Colours,
    points: impl Fn(&[&Slice]) -> Vec<Point>,
) -> Vec<Series> {
    let each = |(subject, group): (&str, Vec<&Slice>)| {
        let colour = colours.get(group[0].spec.workload, subject);
        Series::main(subject, points(&group), colour)
    };
    by_subject(slices).into_iter().map(each).collect()
}

/// The point that ran first, in the specification's words, and its slices; nothing if there are no
/// slices at all.
pub(super) fn first_point<'a>(slices: &[&'a Slice]) -> Option<(String, Vec<&'a Slice>)> {
    let points = gather(slices.iter().copied(), |slice| slice.spec.point());
    points.into_iter().next()
}

/// All slices' histograms of one name together, and whether they are valid ones; nothing if there
/// are none.
pub(super) fn pooled(
    slices: &[&Slice],
    name: &str,
) -> Option<(hdrhistogram::Histogram<u64>, bool)> {
    let (slices, valid) = believable(slices);
    let mut all = slices
        .iter()
        .filter_map(|slice| slice.histograms.get(name))
        .filter_map(|text| histogram::decode(text).ok());
    // The first one says how fine they are: those of wakes are finer than others.
    let mut pooled = all.next()?;
    for one in all {
        // Histograms of one make always add up.
        let _ = pooled.add(one);
    }
    (!pooled.is_empty()).then_some((pooled, valid))
}

/// Slices by point, in the order in which the points first ran, each point in the words that
/// `name` finds for it.
pub(super) fn by_point<'a>(
    slices: &[&'a Slice],
    name: impl Fn(&'a Slice) -> String,
) -> Vec<(String, Vec<&'a Slice>)> {
    gather(slices.iter().copied(), |slice| slice.spec.point())
        .into_iter()
        .map(|(_, group)| (name(group[0]), group))
        .collect()
}
