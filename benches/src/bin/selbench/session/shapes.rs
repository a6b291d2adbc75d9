//! Whether the curves of a run can be.

use std::collections::BTreeMap;

use benches::selbench::checks;
use benches::selbench::schema::{Slice, Workload};
use benches::stats;

/// Curves over N that cannot be make all their rows suspicious.
pub(super) fn check(slices: &mut [Slice]) {
    let of_ring =
        |slice: &&Slice| slice.spec.workload == Workload::Ring && slice.spec.count("active") == 1;
    let mut names: Vec<String> = slices
        .iter()
        .filter(of_ring)
        .map(|slice| slice.spec.subject.clone())
        .collect();
    names.sort();
    names.dedup();
    for name in names {
        let mut by_size = BTreeMap::<usize, Vec<f64>>::new();
        for slice in slices
            .iter()
            .filter(of_ring)
            .filter(|slice| slice.spec.subject == name && slice.valid())
        {
            by_size
                .entry(slice.spec.count("registered"))
                .or_default()
                .extend(slice.cost());
        }
        let costs: Vec<(usize, f64)> = by_size
            .into_iter()
            .map(|(size, costs)| (size, stats::median(&costs)))
            .collect();
        let Some(flag) = checks::shape(&name, &costs) else {
            continue;
        };
        for slice in slices
            .iter_mut()
            .filter(|slice| slice.spec.workload == Workload::Ring)
        {
            if slice.spec.subject == name && slice.spec.count("active") == 1 {
                slice.flags.push(flag.clone());
            }
        }
    }
}
