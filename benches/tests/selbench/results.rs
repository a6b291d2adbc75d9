//! RESULTS.md is the truth about what `selbench` writes: every field and every metric is
//! documented, and whatever is documented is written.

use std::collections::{BTreeMap, BTreeSet};

use benches::method::histogram::PERCENTILES;
use benches::method::{Cell, Comparison, Document, Flag, Probe, Reason, SCHEMA, Verdict, Window};
use serde_json::Value;

const GUIDE: &str = include_str!("../../RESULTS.md");

/// A short run of each workload, in words of the command line.
const RUNS: &[&str] = &[
    "ring --registered 4 --ms 3 --subjects ours-epoll",
    "map --most 4 --ms 5 --subjects ours-epoll",
    "register --registered 4 --ms 3 --subjects ours-epoll",
    "echo --subjects ours --connections 2 --ms 50 --placement same-cpu",
    "load --subjects ours --rates 1000 --connections 2 --ms 100 --placement same-cpu",
    "capacity --subjects ours --connections 2 --ms 10 --placement same-cpu",
    "fair --subjects ours --connections 2 --rate 1000 --ms 50 --placement same-cpu",
    "overload --subjects ours --connections 2 --calm 500 --peak 2000 --ms 60 --placement same-cpu",
    "switch --subjects ours --tasks 4 --ms 3",
    "storm --subjects ours --timers 50 --ms 10",
    "overshoot --subjects ours --sleep-us 50 --ms 10",
    "scaling --subjects ours --connections 2 --ms 10",
    "wake --subjects ours --senders 0 --burst 1 --ms 10",
    "churn --subjects ours --connections 2 --ms 50",
    "idle --subjects ours --connections 10 --ms 10",
    "cascade --subjects ours --fds 4 --ms 5",
];

#[test]
fn the_fields_are_those_of_the_guide() {
    let mut document = everything();
    document.schema = SCHEMA.to_owned();
    let mut written = BTreeSet::new();
    fields(&serde_json::to_value(&document).unwrap(), "", &mut written);
    let documented: BTreeSet<String> =
        rows("## Fields").into_iter().map(|row| row[0].clone()).collect();
    let undocumented: Vec<_> = written.difference(&documented).collect();
    let unwritten: Vec<_> = documented.difference(&written).collect();
    assert!(undocumented.is_empty(), "RESULTS.md lacks {undocumented:?}");
    assert!(unwritten.is_empty(), "nothing writes {unwritten:?}");
    assert!(GUIDE.lines().next().unwrap().contains(SCHEMA), "the version");
}

#[test]
fn every_metric_that_is_written_is_in_the_guide_and_the_other_way_round() {
    let documented = |heading: &str, names: usize| -> BTreeMap<String, Vec<String>> {
        rows(heading)
            .into_iter()
            .map(|row| {
                let workloads = row[names].split(", ").map(str::to_owned).collect();
                (row[0].clone(), workloads)
            })
            .collect()
    };
    let asked = documented("## Parameters", 1);
    let histograms = documented("## Histograms", 1);
    let metrics = documented("## Metrics", 1);
    let always: BTreeSet<String> = rows("## Metrics")
        .into_iter()
        .filter(|row| row[2].is_empty())
        .map(|row| row[0].clone())
        .collect();
    for (number, words) in RUNS.iter().enumerate() {
        for slice in crate::support::document(&format!("results-{number}"), words).slices {
            let workload = slice.spec.workload.as_str();
            let belongs = |of: &BTreeMap<String, Vec<String>>, name: &str| {
                of.get(name).is_some_and(|all| all.iter().any(|one| one == workload))
            };
            let own: BTreeSet<&str> =
                asked.keys().map(String::as_str).filter(|name| belongs(&asked, name)).collect();
            let given: BTreeSet<&str> = slice
                .spec
                .parameters
                .keys()
                .chain(slice.spec.choices.keys())
                .map(String::as_str)
                .collect();
            assert_eq!(own, given, "parameters and choices of {workload}");
            for name in slice.histograms.keys() {
                assert!(belongs(&histograms, name), "histogram {name} of {workload}");
            }
            for name in slice.metrics.keys() {
                assert!(
                    belongs(&metrics, name) || of_a_histogram(&histograms, name),
                    "RESULTS.md lacks {name} of {workload}"
                );
            }
            // What could not be measured at all says so, and has no figures.
            let unmeasured = [Reason::Errors, Reason::Unconfirmed];
            if slice.flags.iter().any(|flag| unmeasured.contains(&flag.reason)) {
                continue;
            }
            for name in always.iter().filter(|name| belongs(&metrics, name)) {
                assert!(
                    slice.metrics.contains_key(name),
                    "{workload} has no {name}: {:?}",
                    slice.metrics
                );
            }
        }
    }
}

/// Whether a metric is one of those that come with a documented histogram.
fn of_a_histogram(histograms: &BTreeMap<String, Vec<String>>, metric: &str) -> bool {
    let words = PERCENTILES.iter().map(|(word, _)| *word).chain(["max"]);
    words
        .map(|word| format!("_{word}_ns"))
        .filter_map(|end| metric.strip_suffix(&end).map(str::to_owned))
        .any(|name| histograms.contains_key(&name))
}

/// The cells of the first table below a heading, without the marks of code.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let start = GUIDE.find(heading).expect("the guide has this heading");
    let rows: Vec<Vec<String>> = GUIDE[start..]
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "{heading} has a table");
    rows
}

/// The maps whose entries are told by tables of their own, or by the machine.
const MAPS: [&str; 6] =
    ["environment", "parameters", "choices", "metrics", "histograms", "system_calls"];

/// The paths of all that is no object and no list.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) if MAPS.iter().any(|map| path.ends_with(map)) => {
            assert!(!entries.is_empty(), "{path} is filled");
            found.insert(format!("{path}.*"));
        }
        Value::Object(entries) => {
            for (name, value) in entries {
                let dot = if path.is_empty() { "" } else { "." };
                fields(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(elements) => {
            let first = elements.first();
            let first = first.unwrap_or_else(|| panic!("{path} is filled"));
            fields(first, &format!("{path}[]"), found);
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// A document in which nothing is missing.
fn everything() -> Document {
    let mut document = crate::support::document("results-everything", RUNS[0]);
    let slice = &mut document.slices[0];
    slice.spec.server = Some("127.0.0.1:1".to_owned());
    slice.spec.server_program = Some("server".to_owned());
    slice.spec.fault = Some("reset".to_owned());
    slice.histograms.insert("wake".to_owned(), String::new());
    slice.timeline =
        vec![Window { at_ms: 0, count: 1, p50_ns: 1, p99_ns: 1, max_ns: 1, steal_percent: 0.0 }];
    slice.cells = vec![Cell { registered: 1, active: 1, ns_per_turn: 1.0 }];
    slice.probes = vec![Probe { rate: 1.0, response_ns: 1.0, met: true, confirmation: true }];
    slice.flags = vec![Flag::new(Reason::Errors, "")];
    document.comparisons = vec![Comparison {
        point: String::new(),
        subject: String::new(),
        baseline: String::new(),
        metric: String::new(),
        ratio: 1.0,
        low: 1.0,
        high: 1.0,
        blocks: 1,
        threshold: 0.03,
        verdict: Verdict::Same,
    }];
    document.noise_floor = Some(0.01);
    document
}
