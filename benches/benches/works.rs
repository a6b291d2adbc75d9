//! Works within one process, for whoever changes ours and wants to see where the time goes: tasks that
//! wake themselves, tasks that are spawned and joined, and timers that never fire. What compares loops under load is `selbench`.
//!
//! `cargo bench -p benches --bench works`, and under a profiler with `-- --profile-time 10 ours`

use std::time::Duration;

use benches::subjects;
use benches::workloads::alone;
use criterion::{Criterion, criterion_group, criterion_main};

fn works(criterion: &mut Criterion) {
    for work in ["self-wake", "spawn-join", "far-timer"] {
        let mut group = criterion.benchmark_group(work);
        for subject in
            subjects::all().filter(|subject| subject.shown && subject.tasks && subject.here())
        {
            group.bench_function(subject.name, |bencher| {
                bencher.iter_custom(|count| {
                    let facts = alone::run(work, subject.name, count).expect("a work of tasks");
                    let each = facts
                        .iter()
                        .find(|fact| fact.0 == "nanoseconds")
                        .map_or(0.0, |fact| fact.1);
                    Duration::from_nanos((each * count as f64) as u64)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, works);
criterion_main!(benches);
