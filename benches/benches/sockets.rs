//! Sockets within one process: a byte round a ring of socket pairs, and connections that come,
//! have one message echoed and go.
//!
//! `cargo bench -p benches --bench sockets`

use benches::{subjects, work};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

fn ring(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ring-hop");
    for members in [2, 64, 1000] {
        for subject in subjects::all().iter().filter(|subject| subject.shown) {
            let Some(tasks) = subject.tasks else { continue };
            group.bench_function(BenchmarkId::new(subject.name, members), |bencher| {
                bencher.iter_custom(|hops| {
                    // Whole laps only; elapsed() scales the time of a hop back to the hops.
                    let laps = hops.div_ceil(members as u64);
                    work::elapsed(&(tasks.ring)(members, laps), hops)
                });
            });
        }
    }
    group.finish();
}

fn churn(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("accept-echo-close");
    for subject in subjects::all().iter().filter(|subject| subject.shown) {
        let Some(tasks) = subject.tasks else { continue };
        group.bench_function(subject.name, |bencher| {
            bencher.iter_custom(|count| work::elapsed(&(tasks.churn)(count as usize), count));
        });
    }
    group.finish();
}

criterion_group!(benches, ring, churn);
criterion_main!(benches);
