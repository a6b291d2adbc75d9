//! The executor: waking, spawning, switching, being woken from another thread.
//!
//! `cargo bench -p benches --bench tasks`

use std::hint::black_box;

use benches::subject::Tasks;
use benches::{subjects, work};
use criterion::{Criterion, criterion_group, criterion_main};

/// An operation of the executor, `count` times.
type Operation = fn(&Tasks, u64) -> work::Facts;

fn tasks(criterion: &mut Criterion) {
    let operations: [(&str, Operation); 4] = [
        ("self-wake", |tasks, count| (tasks.self_wake)(count)),
        ("spawn-join", |tasks, count| (tasks.spawn_join)(count)),
        ("ping-pong", |tasks, count| (tasks.ping_pong)(count)),
        ("foreign-round-trip", |tasks, count| {
            (tasks.foreign_round_trip)(count)
        }),
    ];
    for (name, operation) in operations {
        let mut group = criterion.benchmark_group(name);
        for subject in subjects::all().iter().filter(|subject| subject.shown) {
            let Some(tasks) = subject.tasks else { continue };
            group.bench_function(subject.name, |bencher| {
                bencher.iter_custom(|count| {
                    work::elapsed(&operation(black_box(&tasks), count), count)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, tasks);
criterion_main!(benches);
