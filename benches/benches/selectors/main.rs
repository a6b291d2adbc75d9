//! One wait: each backend of selectors-core against mio, polling and the bare system calls.
//!
//! `cargo bench -p benches --bench selectors`
//!
//! 1, 100 and 8000 socket pairs are registered. Before each wait one of them, or all, is written
//! to; afterwards they are read empty. Only the wait is timed: from the call until the program
//! has in its hands which of them are ready. The writes and reads are the same for everyone.

mod bare;
mod ours;
#[cfg(feature = "rivals")]
mod rivals;

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};

/// Waits until so many have been reported ready, and returns the sum of their positions.
type Wait<'a> = Box<dyn FnMut(usize) -> u64 + 'a>;

/// Registers all sockets for reading.
type Contender = for<'a> fn(&'a [UnixStream]) -> Wait<'a>;

/// Names, in the order of the report.
fn contenders() -> Vec<(&'static str, Contender)> {
    vec![
        ("bare epoll", bare::epoll),
        ("bare poll", bare::poll),
        ("bare select", bare::select),
        ("ours epoll", ours::epoll),
        ("ours epoll edge", ours::epoll_edge),
        ("ours poll", ours::poll),
        ("ours select", ours::select),
        #[cfg(feature = "rivals")]
        ("mio", rivals::mio),
        #[cfg(feature = "rivals")]
        ("polling", rivals::polling),
    ]
}

fn waits(criterion: &mut Criterion) {
    benches::sys::raise_open_files().expect("setrlimit");
    for registered in [1, 100, 8000] {
        let (mut receiving, mut sending) = (Vec::new(), Vec::new());
        for _ in 0..registered {
            let (receiver, sender) =
                UnixStream::pair().expect("socketpair; are 17000 fds allowed?");
            receiver.set_nonblocking(true).expect("set_nonblocking");
            receiving.push(receiver);
            sending.push(sender);
        }
        let mut activities = vec![1, registered];
        activities.dedup();
        for active in activities {
            let mut group = criterion.benchmark_group(format!("wait-{registered}-{active}"));
            if active > 1000 {
                group.sample_size(10).sampling_mode(SamplingMode::Flat);
            }
            for (name, contender) in contenders() {
                let mut wait = contender(&receiving);
                group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                    bencher.iter_custom(|count| {
                        (0..count)
                            .map(|turn| once(&receiving, &sending, active, turn, &mut wait))
                            .sum()
                    });
                });
            }
            group.finish();
        }
    }
}

/// Writes to the sockets whose turn it is, times the wait, and reads them empty.
fn once(
    receiving: &[UnixStream],
    sending: &[UnixStream],
    active: usize,
    turn: u64,
    wait: &mut Wait<'_>,
) -> Duration {
    // A step that shares no divisor with 8000 or 100: the active one wanders over all of them.
    let position = |step: usize| (turn as usize * 37 + step) % receiving.len();
    for step in 0..active {
        (&sending[position(step)]).write_all(&[1]).expect("write");
    }
    let begin = Instant::now();
    let sum = black_box(wait(active));
    let elapsed = begin.elapsed();
    let expected: u64 = (0..active).map(|step| position(step) as u64).sum();
    assert_eq!(
        sum, expected,
        "each active socket is reported once, and no other"
    );
    for step in 0..active {
        (&receiving[position(step)])
            .read_exact(&mut [0])
            .expect("read");
    }
    elapsed
}

criterion_group!(benches, waits);
criterion_main!(benches);
