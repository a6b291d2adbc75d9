//! RESULTS.md is the truth about what `selbench` writes: every field and every metric is
//! documented, and whatever is documented is written.

use std::collections::{BTreeMap, BTreeSet};

use benches::method::histogram::PERCENTILES;
use benches::method::{Reason, SCHEMA, Slice};
use serde_json::Value;

use crate::support::runs;

const GUIDE: &str = include_str!("../../RESULTS.md");

#[test]
fn the_fields_are_those_of_the_guide() {
    let mut written = BTreeSet::new();
    for (name, document) in runs() {
        let mut document = document.clone();
        if *name == "ring" {
            let spec = &mut document.slices[0].spec;
            spec.fault = Some("reset".to_owned());
            spec.server = Some("127.0.0.1:1".to_owned());
            spec.server_program = Some("server".to_owned());
        }
        let text = benches::method::results::text(&document).unwrap();
        fields(&serde_json::from_str(&text).unwrap(), "", &mut written);
    }
    let documented = rows("## Fields").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(written, documented, "what is written, and what RESULTS.md says");
    assert!(GUIDE.lines().next().unwrap().contains(SCHEMA), "the version");
}

/// Of each name in a table of the guide, the workloads that have it.
type Names = BTreeMap<String, Vec<String>>;

fn belongs(of: &Names, name: &str, workload: &str) -> bool {
    of.get(name).is_some_and(|all| all.iter().any(|one| one == workload))
}

#[test]
fn every_metric_that_is_written_is_in_the_guide_and_the_other_way_round() {
    let documented = |heading: &str| -> Names {
        let split =
            |row: Vec<String>| (row[0].clone(), row[1].split(", ").map(str::to_owned).collect());
        rows(heading).into_iter().map(split).collect()
    };
    let [asked, histograms, metrics] =
        ["## Parameters", "## Histograms", "## Metrics"].map(documented);
    let always = rows("## Metrics").into_iter().filter(|row| row[2].is_empty());
    let always: BTreeSet<String> = always.map(|row| row[0].clone()).collect();
    for slice in runs().iter().flat_map(|(_, document)| &document.slices) {
        let Slice { spec, .. } = slice;
        let workload = spec.workload.as_str();
        let own: BTreeSet<&String> =
            asked.keys().filter(|name| belongs(&asked, name, workload)).collect();
        let given: BTreeSet<&String> = spec.parameters.keys().chain(spec.choices.keys()).collect();
        assert_eq!(own, given, "parameters and choices of {workload}");
        for name in slice.histograms.keys() {
            assert!(belongs(&histograms, name, workload), "histogram {name} of {workload}");
        }
        for name in slice.metrics.keys() {
            let known = belongs(&metrics, name, workload) || of_a_histogram(&histograms, name);
            assert!(known, "RESULTS.md lacks {name} of {workload}");
        }
        // What could not be measured at all says so, and has no figures.
        let unmeasured = [Reason::Errors, Reason::Unconfirmed];
        if slice.flags.iter().any(|flag| unmeasured.contains(&flag.reason)) {
            continue;
        }
        for name in always.iter().filter(|name| belongs(&metrics, name, workload)) {
            let told = &slice.metrics;
            assert!(told.contains_key(name), "{workload} has no {name}: {told:?}");
        }
    }
}

/// Whether a metric is one of those that come with a documented histogram.
fn of_a_histogram(histograms: &Names, metric: &str) -> bool {
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
            if !entries.is_empty() {
                found.insert(format!("{path}.*"));
            }
        }
        Value::Object(entries) => {
            for (name, value) in entries {
                let dot = if path.is_empty() { "" } else { "." };
                fields(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(elements) => {
            elements.iter().for_each(|one| fields(one, &format!("{path}[]"), found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}
