//! The measuring program itself: every subject serves, and the gate closes on what got worse.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use benches::client::Client;
use benches::{counted, subjects};

fn gates() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gates"))
}

#[test]
fn every_subject_echoes_what_it_is_sent_and_ends_when_its_peers_close() {
    for subject in subjects::all() {
        let mut server = gates()
            .args(["subject", "serve", subject.name, "3"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let port = first.strip_prefix("port ").unwrap().parse().unwrap();
        let mut client = Client::connect(port, 3).unwrap();
        client.round().unwrap();
        client.round_of(1).unwrap();
        drop(client);
        assert!(server.wait().unwrap().success(), "{}", subject.name);
    }
}

#[test]
fn every_work_ends_by_itself_and_tells_facts() {
    for subject in subjects::all()
        .iter()
        .filter(|subject| subject.tasks.is_some())
    {
        for work in [
            "self-wake",
            "spawn-join",
            "far-timer",
            "sleep",
            "foreign-wake",
        ] {
            let told = gates()
                .args(["subject", work, subject.name, "2"])
                .output()
                .unwrap();
            assert!(told.status.success(), "{work} of {}", subject.name);
            assert!(
                text(&told).contains("allocations "),
                "{work} of {}",
                subject.name
            );
        }
    }
}

#[test]
fn the_gate_closes_on_a_worse_count_and_says_which() {
    if !counted::missing_tools().is_empty() {
        eprintln!("skipped: {:?}", counted::missing_tools());
        return;
    }
    let folder = std::env::temp_dir().join(format!("gates-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let baseline = folder.join("baseline.tsv");
    let check = |value: &str| {
        std::fs::write(
            &baseline,
            format!("ours\tself-wake-instructions\t{value}\n"),
        )
        .unwrap();
        let arguments = ["--check", "--quick", "--only", "self-wake-instructions"];
        gates()
            .args(arguments)
            .arg("--baseline")
            .arg(&baseline)
            .output()
            .unwrap()
    };
    let worse = check("1");
    assert_eq!(worse.status.code(), Some(1));
    assert!(text(&worse).contains("WORSE: self-wake-instructions of ours"));
    let fine = check("1000000");
    assert_eq!(fine.status.code(), Some(0));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_unknown_row_is_refused_by_name() {
    let refused = gates().args(["--only", "no-such-row"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no row is named no-such-row"));
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
