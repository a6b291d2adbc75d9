//! Whether the curves of a run can be.

use std::collections::BTreeMap;

use super::{Slice, checks, statistics};

/// Curves over N that cannot be make all their rows suspicious.
pub fn check(slices: &mut [Slice]) {
    let of_ring = |slice: &Slice| slice.spec.workload == "ring" && slice.spec.count("active") == 1;
    let mut curves = BTreeMap::<String, BTreeMap<usize, Vec<f64>>>::new();
    for slice in slices.iter().filter(|slice| of_ring(slice) && slice.valid()) {
        let curve = curves.entry(slice.spec.subject.clone()).or_default();
        let here = curve.entry(slice.spec.count("registered")).or_default();
        here.extend(slice.cost("ns_per_event"));
    }
    for (name, curve) in curves {
        // Of so few, noise makes any shape.
        let medians = curve.into_iter().map(|(size, costs)| (size, statistics::median(&costs)));
        let Some(flag) = checks::shape(&name, &medians.collect::<Vec<_>>()) else {
            continue;
        };
        let of_it = |slice: &&mut Slice| of_ring(slice) && slice.spec.subject == name;
        for slice in slices.iter_mut().filter(of_it) {
            slice.flags.push(flag.clone());
        }
    }
}
