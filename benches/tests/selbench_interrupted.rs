//! Ctrl-C keeps what was measured, and whoever is no terminal gets plain lines.

#![cfg(feature = "selbench")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use benches::selbench::schema::Document;

#[test]
fn what_was_measured_before_ctrl_c_is_written() {
    let json = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interrupted.json");
    let _ = std::fs::remove_file(&json);
    // Far more than anybody waits for.
    let mut child = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(["ring", "--registered", "1,2", "--subjects", "bare-epoll"])
        .args(["--blocks", "2000", "--ms", "1", "--no-floor"])
        .args(["--json", json.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    assert_eq!(
        line, "0/4000 ring socketpair active=1 registered=1 writes=100 one-thread\n",
        "a plain line, without the marks of a terminal"
    );
    // Until something is measured there is nothing to keep: its slices come and go as its children.
    let slices = format!("/proc/{0}/task/{0}/children", child.id());
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 5 {
        let children = std::fs::read_to_string(&slices).unwrap_or_default();
        seen.extend(children.split_whitespace().map(str::to_owned));
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    child.wait().unwrap();
    assert!(rest.contains("written: "), "{rest}");
    let document = Document::read(json.to_str().unwrap()).unwrap();
    assert!(document.interrupted);
    let count = document.slices.len();
    assert!((3..4000).contains(&count), "{count} slices");
}
