//! What is measured, at which points.

use benches::stats;
use benches::subject::Subject;
use benches::timed::{self, Slice};

use crate::chart::{Chart, Curve};

/// The subjects of the curves, the plainest first.
const SUBJECTS: [&str; 5] = ["ours-select", "ours-poll", "ours-level", "ours", "bare"];

/// Echoes in one slice; more if a single round has more.
const ECHOES: usize = 6000;

/// Measures a chart; quickly if asked to.
type Measure = fn(bool) -> Result<Chart, String>;

/// Every chart, by the name of its file.
pub(crate) const PICTURES: [(&str, Measure); 3] = [
    ("cpu-all-active", |quick| {
        chart(
            "Server CPU per echo, every connection active",
            quick,
            |connections| connections,
        )
    }),
    ("cpu-few-active", |quick| {
        chart(
            "Server CPU per echo, one connection in a hundred active",
            quick,
            |connections| connections.div_ceil(100),
        )
    }),
    ("memory", memory),
];

/// CPU per echo of each subject at each point: the median of fresh processes that take turns.
fn chart(
    title: &'static str,
    quick: bool,
    active: impl Fn(usize) -> usize,
) -> Result<Chart, String> {
    let points: &[usize] = if quick {
        &[1, 100, 1000]
    } else {
        &[1, 10, 100, 300, 1000, 3000, 6000, 9000]
    };
    let repetitions = if quick { 1 } else { 5 };
    let mut curves: Vec<Curve> = SUBJECTS.map(Curve::new).into();
    for &connections in points {
        eprintln!("scaling: {title}: {connections}");
        let slice = Slice {
            connections,
            active: active(connections),
            echoes: ECHOES.max(connections),
        };
        let mut samples = vec![Vec::new(); curves.len()];
        for _ in 0..repetitions {
            for (curve, samples) in curves.iter().zip(&mut samples) {
                samples.push(timed::cpu_per_echo(curve.name, slice)? / 1000.0);
            }
        }
        for (curve, samples) in curves.iter_mut().zip(&samples) {
            curve
                .points
                .push((connections as f64, stats::median(samples)));
        }
    }
    Ok(Chart {
        title,
        unit: "microseconds",
        curves,
    })
}

/// Resident memory for each idle connection, above the user's own buffer.
fn memory(quick: bool) -> Result<Chart, String> {
    let points: &[usize] = if quick {
        &[1000]
    } else {
        &[500, 1000, 2000, 5000, 9000]
    };
    let names = ["ours", "tokio", "smol", "monoio"];
    let subjects: Vec<Subject> = names.into_iter().filter_map(Subject::named).collect();
    let mut curves = Vec::new();
    for subject in subjects {
        eprintln!("scaling: memory of {}", subject.name);
        let mut curve = Curve::new(subject.name);
        for &connections in points {
            let bytes =
                timed::memory_per_connection(subject.name, connections, subject.own_buffer)?;
            curve.points.push((connections as f64, bytes));
        }
        curves.push(curve);
    }
    Ok(Chart {
        title: "Memory for each idle connection, above the user's own buffer",
        unit: "bytes",
        curves,
    })
}
