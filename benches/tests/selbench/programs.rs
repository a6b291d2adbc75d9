//! `compare` of programs: servers, and `selbench` binaries, one of which answers what it is told to.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{files, selbench};
use benches::method::{Document, results};

fn compare(json: &str, words: &str) -> Document {
    let (_, text) = selbench(&format!("compare {words} --json {json}"));
    results::read(json).unwrap_or_else(|problem| panic!("{problem}: {text}"))
}

#[test]
fn a_selbench_binary_measures_its_own_subjects_and_a_server_is_measured() {
    let path = files("programs");
    let (own, copy) = (env!("CARGO_BIN_EXE_selbench"), path("copy"));
    fs::copy(own, &copy).unwrap();
    let few = "--blocks 1 --ms 20 --sizes 2 --no-floor";
    let rings = compare(&path("rings.json"), &format!("{copy} {own} --subject ours-poll {few}"));
    assert_eq!(rings.slices.len(), 2);
    for slice in &rings.slices {
        assert!([&*copy, own].contains(&slice.spec.subject.as_str()));
        assert!(slice.metrics["ns_per_event"] > 0.0);
    }
    let server = path("server");
    crate::support::server(&server, "bare");
    let echoes = compare(&path("echoes.json"), &format!("{server} {own} {few}"));
    assert_eq!(echoes.slices.len(), 2);
    for slice in &echoes.slices {
        assert!(slice.metrics["replies"] > 0.0, "{slice:?}");
    }
}

/// A `selbench` that says that an event costs so much.
const ANSWERS: &str = r#"#!/bin/sh
[ "$1" = --version ] && echo selbench 0 && exit
echo "{\"spec\":$2,\"metrics\":{\"ns_per_event\":COST},\"flags\":[],\"quiet\":
    {\"steal_percent\":0,\"foreign_percent\":0,\"involuntary_per_second\":0}}"
"#;

#[test]
fn the_verdict_is_that_of_what_the_programs_told() {
    let path = files("answers");
    for (name, cost) in [("old", "100"), ("new", "200")] {
        fs::write(path(name), ANSWERS.replace("COST", cost)).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let (old, new) = (path("old"), path("new"));
    let words = format!("{new} {old} --subject ours-epoll --sizes 1");
    let document = compare(&path("compared.json"), &words);
    let find =
        |subject: &str| document.comparisons.iter().find(|one| one.subject == subject).unwrap();
    assert!((find(&new).ratio - 2.0).abs() < 1e-9, "{:?}", find(&new));
    assert_eq!(find(&new).verdict.words(0.03), "slower");
    assert!((find(&format!("{old}'")).ratio - 1.0).abs() < 1e-9, "the A/A run");
    assert_eq!(document.noise_floor, Some(0.0));
}
