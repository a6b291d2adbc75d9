//! The command: what a learner sees.

use std::process::{Command, Output};
use std::{env, fs};

fn run(arguments: &[&str]) -> (i32, String) {
    let command = Command::new(env!("CARGO_BIN_EXE_exercises"))
        .args(arguments)
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = command.expect("it was built");
    let text = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    (status.code().expect("it ends by itself"), text.into_owned())
}

#[test]
fn a_check_that_fails_names_the_file_and_the_next_step() {
    let (status, text) = run(&["check", "e09"]);
    assert_eq!(status, 1, "{text}");
    for words in [
        "e09: not yet: close the gap",
        "a wake is lost",
        "examples/exercises/e09_gap.rs",
        "hint e09",
    ] {
        assert!(text.contains(words), "{words:?} in {text}");
    }
    let (status, text) = run(&["check", "e09", "--solution"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("e09: solved"), "{text}");
}

#[test]
fn hints_come_one_by_one() {
    let (_, one) = run(&["hint", "e06"]);
    assert_eq!(one.lines().count(), 1, "{one}");
    let (_, two) = run(&["hint", "e06", "2"]);
    assert!(two.starts_with(&one) && two.lines().count() == 2, "{two}");
    let (status, none) = run(&["hint", "e06", "0"]);
    assert!(status == 2 && none.contains("'0'"), "{none}");
}

#[test]
fn the_list_has_all_ten() {
    let (status, text) = run(&[]);
    assert_eq!(status, 0, "{text}");
    for number in 1..=10 {
        assert!(text.contains(&format!("e{number:02}  open")), "{text}");
    }
}

#[test]
fn a_name_that_is_none_is_refused() {
    let (status, text) = run(&["check", "e11"]);
    assert_eq!(status, 2);
    assert!(text.contains("e01 to e10"), "{text}");
}

#[test]
fn a_trace_of_ones_own_can_be_counted() {
    let name = format!("exercises-{}.trace", std::process::id());
    let file = env::temp_dir().join(name);
    let trace = r#"{"trace":"reactor","version":1,"backend":"nothing","trigger":"level"}
{"t":1,"e":"syscall","fd":0,"call":"accept","result":"would_block"}
{"t":2,"e":"syscall","fd":1,"call":"recv","result":"ok","n":4}
"#;
    fs::write(&file, trace).expect("it can be written");
    let path = file.to_str().expect("our own name is text");
    let (status, text) = run(&["waste", path, "--solution"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains(": 0.25 calls in vain"), "{text}");
    // Whatever the code of a learner answers, it is told as a number, or that there is none.
    let (_, text) = run(&["waste", path]);
    assert!(text.contains(": 0.5 calls in vain"), "{text}");
    let only = trace.lines().take(2).map(|line| format!("{line}\n"));
    fs::write(&file, only.collect::<String>()).expect("it can be written");
    for arguments in [&["waste", path][..], &["waste", path, "--solution"]] {
        let (status, text) = run(arguments);
        assert!(
            status == 0 && !text.contains("Some") && !text.contains("None"),
            "{text}"
        );
    }
    fs::write(&file, b"{}\n\xff").expect("it can be written");
    let (status, text) = run(&["waste", path]);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("line 2: not UTF-8"), "{text}");
    fs::remove_file(&file).expect("ours");
    let (status, text) = run(&["waste", path]);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains(&format!("{path}: ")), "{text}");
}

/// 1 says that an exercise is not solved; a line that is lost says nothing of it.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error() {
    for arguments in [&["hint", "e06"][..], &["check", "e06"]] {
        let full = fs::File::options().write(true).open("/dev/full");
        let output = Command::new(env!("CARGO_BIN_EXE_exercises"))
            .args(arguments)
            .stdout(full.expect("this system has it"))
            .output()
            .expect("it was built");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("standard output"), "{said}");
    }
}
