//! Timers, with 10, 1000 and 1 000 000 others outstanding.
//!
//! `cargo bench -p benches --bench timers`

use benches::subjects;
use benches::work::{self, TimerOperation};
use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};

/// Timers that fire in one go, for each measurement sleeps before it; and operations in one at least,
/// or a million others, which are set up before it, would leave but one of them, in a cold cache.
const BURST: u64 = 1000;

fn timers(criterion: &mut Criterion) {
    let operations = [
        ("timer-insert-cancel", TimerOperation::InsertCancel),
        ("timer-reset", TimerOperation::Reset),
        ("timer-fire", TimerOperation::Fire),
    ];
    for (name, operation) in operations {
        let mut group = criterion.benchmark_group(name);
        // Each sample sets all the other timers up again, so there are as few as can be.
        group.sample_size(10).sampling_mode(SamplingMode::Flat);
        for outstanding in [10, 1000, 1_000_000] {
            for subject in subjects::all().iter().filter(|subject| subject.shown) {
                // The backends differ in nothing that concerns timers.
                let backend = subject.name.starts_with("ours-");
                let Some(tasks) = subject.tasks.filter(|_| !backend) else {
                    continue;
                };
                group.bench_function(BenchmarkId::new(subject.name, outstanding), |bencher| {
                    bencher.iter_custom(|count| {
                        let fire = operation == TimerOperation::Fire;
                        let times = if fire { BURST } else { count.max(BURST) };
                        work::elapsed(&(tasks.timers)(outstanding, operation, times), count)
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, timers);
criterion_main!(benches);
