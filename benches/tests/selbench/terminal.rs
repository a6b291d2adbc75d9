//! Nothing that was measured is lost because nobody listens, or because there is no room for words.

use std::fs::{File, read_dir, read_to_string};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{files, run, selbench};
use benches::method::results;
use benches::workloads;

const OWN: &str = env!("CARGO_BIN_EXE_selbench");
const RING: &str = "ring --registered 1 --blocks 2 --ms 1 --no-floor --subjects ours-epoll";

/// The exit code with such an output, and what is said on standard error if that is read.
fn into(program: &str, words: &str, to: impl Fn() -> [Stdio; 2]) -> (Option<i32>, String) {
    let [out, err] = to();
    let mut command = Command::new(program);
    let child = command.args(words.split(' ')).stdout(out).stderr(err).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_closed_or_a_full_output_costs_neither_the_measurement_nor_the_exit_code() {
    let closed = || Stdio::from(std::io::pipe().unwrap().1);
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let json = files("terminal")("ring.json");
    let ring = format!("{RING} --json {json}");
    let gates = env!("CARGO_BIN_EXE_gates");
    for (program, words) in [(OWN, &*ring), (OWN, "env"), (OWN, "--help"), (gates, "--help")] {
        let code = run(program, &words.split(' ').collect::<Vec<_>>()).0;
        assert!(matches!(code, Some(0 | 2)), "{words}");
        let measured = || words != ring || std::fs::remove_file(&json).is_ok();
        assert!(measured());
        let (ended, told) = into(program, words, || [closed(), Stdio::piped()]);
        assert!(ended == code && measured() && !told.contains("written: std"), "{words}: {told}");
        assert!(into(program, words, || [closed(), closed()]).0 == code && measured(), "{words}");
        let (ended, told) = into(program, words, || [full(), Stdio::piped()]);
        assert!(ended == Some(74) && measured(), "{words}: {ended:?} {told}");
        assert!(told.contains("cannot be written: No space left"), "{words}: {told}");
        assert!(into(program, words, || [full(), full()]).0 == Some(74) && measured(), "{words}");
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
    let json = path("ring.json");
    selbench(&format!("{RING} --json {json}"));
    assert_eq!(selbench(&format!("report {json} --output /dev/full")).0, Some(74));
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
fn every_workload_lists_its_subjects() {
    for name in workloads::ALL.iter().map(workloads::Workload::name) {
        let (code, list) = selbench(&format!("{name} --subjects list"));
        assert!(code == Some(0) && list.contains("  ours"), "{name}: {list}");
    }
}

#[test]
fn nothing_prints_but_the_terminal() {
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut looked = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("terminal.rs")
        {
            let text = read_to_string(&path).unwrap();
            let prints = ["print!(", "println!(", "dbg!("].iter().any(|word| text.contains(word));
            assert!(!prints, "{} prints: terminal::say and tell do that", path.display());
            looked += 1;
        }
    }
    assert!(looked > 80, "{looked}");
}
