//! Runs every example on every backend, in its self-test, and with a command line that makes no
//! sense.
#![cfg(unix)]

use std::path::PathBuf;
use std::process::{Command, Output};

use selectors_core::Backend;

fn run(example: &str, arguments: &[&str]) -> Output {
    // `cargo test` has built the examples beside the folder of this test.
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(example);
    let mut command = Command::new(&path);
    command.args(arguments).env_remove("SELECTOR");
    command.output().unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo build --examples` builds it",
            path.display()
        )
    })
}

fn passes_its_self_test(example: &str) {
    for backend in Backend::available() {
        let output = run(example, &["--self-test", "--selector", backend.name()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{example} on {backend}: {text}{errors}"
        );
    }
    let output = run(example, &["--selector", "iocp"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{example}: {errors}");
    assert!(
        errors.contains("poll") && errors.contains("select"),
        "{errors}"
    );
}

#[test]
fn example_chat_callbacks() {
    passes_its_self_test("chat_callbacks");
}

#[test]
fn example_child() {
    passes_its_self_test("child");
}

#[test]
fn example_nested() {
    passes_its_self_test("nested");
}

#[test]
fn example_shared_listener() {
    passes_its_self_test("shared_listener");
}

#[test]
fn example_cost_counts_what_it_says() {
    for form in ["bare", "select_with", "select", "select_only", "boxed"] {
        let output = run("cost", &[form, "8", "5"]);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "40 events\n",
            "{form}"
        );
    }
    assert_eq!(run("cost", &["bare"]).status.code(), Some(2));
}
