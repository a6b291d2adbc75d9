//! The measuring program itself: every subject serves, and the gate closes on what got worse.

use std::process::Command;

use crate::support::{folder, run};
use benches::method::{Client, Process, counted};
use benches::subjects;

const GATES: &str = env!("CARGO_BIN_EXE_gates");

#[test]
fn every_subject_echoes_what_it_is_sent_and_ends_when_its_peers_close() {
    for subject in subjects::all().filter(|subject| subject.here()) {
        let mut command = Command::new(GATES);
        let server =
            Process::server(command.args(["subject", "serve", subject.name, "3"])).unwrap();
        let mut client = Client::connect(server.port, 3).unwrap();
        client.round().unwrap();
        client.round_of(1).unwrap();
        drop(client);
        // Servers of other makes run until they are stopped.
        if subject.inside {
            server.facts().unwrap_or_else(|problem| panic!("{}: {problem}", subject.name));
        }
    }
}

#[test]
fn every_work_ends_by_itself_and_tells_facts() {
    for subject in subjects::all().filter(|subject| subject.tasks && subject.here()) {
        for work in ["self-wake", "spawn-join", "far-timer", "sleep", "foreign-wake"] {
            let (code, text) = run(GATES, &["subject", work, subject.name, "2"]);
            assert_eq!(code, Some(0), "{work} of {}: {text}", subject.name);
            assert!(text.contains("allocations "), "{work} of {}: {text}", subject.name);
        }
    }
}

#[test]
fn the_gate_closes_on_a_worse_count_and_refuses_a_baseline_that_holds_nothing() {
    if !counted::missing_tools().is_empty() {
        eprintln!("skipped: {:?}", counted::missing_tools());
        return;
    }
    let baseline = folder("gates").join("baseline.tsv");
    let check = |text: &str| {
        std::fs::write(&baseline, text).unwrap();
        let words = ["--check", "--only", "foreign-writes-fewest", "--subjects", "ours"];
        run(GATES, &[&words[..], &["--baseline", baseline.to_str().unwrap()]].concat())
    };
    let (code, text) = check("ours\tforeign-writes-fewest\t0\n");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("WORSE: foreign-writes-fewest of ours"), "{text}");
    assert_eq!(check("ours\tforeign-writes-fewest\t1000000\n").0, Some(0));
    for (empty, why) in [
        ("", "has no count"),
        ("# only words\n", "has no count"),
        ("ours\techo-instructions\t250\n", "nothing holds them: foreign-writes-fewest of ours"),
        ("ours\tforeign-writes-fewest\tNaN\n", "not a count"),
    ] {
        let (code, text) = check(empty);
        assert_eq!(code, Some(2), "{empty}: {text}");
        assert!(text.contains(why), "{empty}: {text}");
    }
}

#[test]
fn an_unknown_row_is_refused_by_name() {
    let (code, text) = run(GATES, &["--only", "no-such-row"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("no row is named no-such-row"), "{text}");
}
