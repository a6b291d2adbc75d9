//! `see`: the front door. One command writes a page that shows every step.

use std::process::{Command, Output};
use std::{env, fs};

/// Runs `see`; the answer is its status and what it said.
fn run(arguments: &str) -> (Option<i32>, String) {
    let mut program = env::current_exe().expect("the test knows where it is");
    program.pop();
    if program.ends_with("deps") {
        program.pop();
    }
    program.extend(["examples", "see"]);
    let output = Command::new(&program)
        .args(arguments.split_whitespace())
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap_or_else(|error| {
        panic!(
            "{}: {error}. Build it: cargo build -p trace --examples",
            program.display()
        )
    });
    let said = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    (status.code(), said.into_owned())
}

#[test]
fn begins_with_one_await_and_its_captions() {
    let file = env::temp_dir().join(format!("see-await-{}.html", std::process::id()));
    let (status, said) = run(&format!("-o {}", file.display()));
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("the down arrow"), "{said}");
    let page = fs::read_to_string(&file).expect("it said that it wrote it");
    assert_eq!(page.matches("\"station\":").count(), 8);
    fs::remove_file(file).expect("ours");
}

#[test]
fn writes_one_page_that_compares_the_backends() {
    let file = env::temp_dir().join(format!("see-{}.html", std::process::id()));
    let arguments = format!("echo --backend select,poll -o {}", file.display());
    let (status, said) = run(&arguments);
    assert_eq!(status, Some(0), "{said}");
    // The address begins in comparison; examples/trace/tests/browser.rs opens such a one.
    let address = format!("open file://{}#compare\n", file.display());
    assert!(said.contains(&address), "{said}");
    let page = fs::read_to_string(&file).expect("it said that it wrote it");
    for part in [
        "echo on select",
        "echo on poll",
        "\"e\":\"select_begin\"",
        // The source line of a spawn, quoted.
        "executor::spawn(client(address, Duration::ZERO))",
    ] {
        assert!(page.contains(part), "{part}");
    }
    fs::remove_file(file).expect("ours");
}

#[test]
fn shows_timers_and_threads_too() {
    let file = env::temp_dir().join(format!("see-clock-{}.html", std::process::id()));
    let (status, said) = run(&format!("clock -o {}", file.display()));
    assert_eq!(status, Some(0), "{said}");
    assert!(!said.contains("#compare"), "{said}");
    let page = fs::read_to_string(&file).expect("it said that it wrote it");
    for event in ["timer_set", "timer_fired", "notify", "\"by\":\"thread\""] {
        assert!(page.contains(event), "{event}");
    }
    fs::remove_file(file).expect("ours");
}

#[test]
fn a_backend_that_does_not_exist_is_named() {
    let (status, said) = run("echo --backend iocp");
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("iocp"), "{said}");
}

#[test]
fn a_page_that_cannot_be_written_is_named() {
    let file = "/there/is/no/such/folder/page.html";
    let (status, said) = run(&format!("clock -o {file}"));
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains(&format!("see: {file}: ")), "{said}");
}
