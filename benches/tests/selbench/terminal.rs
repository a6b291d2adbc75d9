//! Nothing that was measured is lost because nobody listens, or because there is no room for words.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{files, run, selbench};
use benches::method::results;

const OWN: &str = env!("CARGO_BIN_EXE_selbench");
const RING: &str = "ring --registered 1 --blocks 2 --ms 1 --no-floor --subjects ours-epoll";

#[test]
fn a_closed_or_a_full_output_costs_neither_the_measurement_nor_the_exit_code() {
    let closed = || Stdio::from(std::io::pipe().unwrap().1);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let json = files("terminal")("ring.json");
    let ring = format!("{RING} --json {json}");
    let gates = env!("CARGO_BIN_EXE_gates");
    for (program, words) in [(OWN, &*ring), (OWN, "env"), (OWN, "--help"), (gates, "--help")] {
        let ended = |out: Stdio, err: Stdio| {
            let mut command = Command::new(program);
            let child = command.args(words.split(' ')).stdout(out).stderr(err).spawn().unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(words != ring || std::fs::remove_file(&json).is_ok(), "it is measured");
            (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let code = ended(Stdio::null(), Stdio::null()).0;
        assert!(matches!(code, Some(0 | 2)), "{words}");
        let [(early, told), (late, why)] = [closed(), full()].map(|out| ended(out, Stdio::piped()));
        assert!(early == code && !told.contains("cannot be written"), "{words}: {told}");
        assert!(late == Some(74) && why.contains("cannot be written: No space"), "{words}: {why}");
        assert_eq!(ended(closed(), closed()).0, code, "{words}");
        assert_eq!(ended(full(), full()).0, Some(74), "{words}");
    }
}

#[test]
fn a_file_that_cannot_be_written_costs_no_other() {
    let path = files("one-file-fails");
    let (csv, html) = (path("ring.csv"), path("ring.html"));
    let (code, told) = selbench(&format!("{RING} --json /dev/full --csv {csv} --html {html}"));
    assert!(told.contains("/dev/full cannot be written: No space left"), "{told}");
    assert!(code == Some(74) && told.contains("slices are valid"), "{told}");
    assert!([csv, html].iter().all(|path| Path::new(path).exists()), "{told}");
}

#[test]
fn why_nothing_could_be_measured_is_said_once() {
    let json = files("said-once")("ring.json");
    let ring = format!("{RING} --json {json}").replace("--registered 1", "--registered 999999999");
    let (code, told) = run("sh", &["-c", &format!("ulimit -n 64; exec {OWN} {ring}")]);
    assert_eq!((code, told.matches("Too many open files").count()), (Some(2), 1), "{told}");
    assert!(told.contains("!errors: ring on ours-epoll: Too many"), "{told}");
    assert_eq!(results::read(&json).unwrap().slices.len(), 2);
}

#[test]
fn nothing_prints_but_the_terminal() {
    let prints = ["-rnE", r"\b(e?print(ln)?|dbg)!", concat!(env!("CARGO_MANIFEST_DIR"), "/src")];
    assert_eq!(run("grep", &prints), (Some(1), String::new()), "terminal::say and tell do that");
}
