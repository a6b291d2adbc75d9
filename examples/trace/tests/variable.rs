//! `REACTOR_TRACE`: a program is traced without being touched. The variable is that of a whole
//! process, so the test runs itself as a child.

use std::process::Command;
use std::{env, fs};

use trace::{Step, Trace};

/// Set for the child.
const CHILD: &str = "TRACE_TEST_CHILD";

/// The program that is traced: it knows nothing of traces.
fn program() {
    for _ in 0..2 {
        executor::block_on(async {
            let task = executor::spawn(executor::yield_now());
            task.await.expect("it does not panic");
        })
        .expect("the kernel waits");
    }
    if env::var(CHILD).as_deref() == Ok("killed") {
        executor::block_on(async {
            executor::spawn(async {
                executor::time::sleep(std::time::Duration::from_millis(1)).await;
                // As if by a signal: nothing is dropped, nothing is flushed.
                std::process::abort();
            })
            .await
        })
        .expect("never")
        .expect("never");
    }
}

fn run_child(test: &str, how: &str, file: &str) -> bool {
    let test_binary = env::current_exe().expect("the test knows where it is");
    let status = Command::new(test_binary)
        .args(["--exact", test, "--test-threads=1"])
        .env(CHILD, how)
        .env("REACTOR_TRACE", file)
        .output()
        .expect("it can be started")
        .status;
    status.success()
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = env::temp_dir().join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

#[test]
fn the_variable_records_each_runtime_of_a_program_in_a_file() {
    if env::var_os(CHILD).is_some() {
        return program();
    }
    let folder = folder("reactor-trace");
    let file = folder.join("run.trace");
    let name = "the_variable_records_each_runtime_of_a_program_in_a_file";
    assert!(run_child(name, "whole", &file.display().to_string()));
    for file in [file.clone(), folder.join("run.trace.2")] {
        let text = fs::read_to_string(&file).expect("it was written");
        let trace = Trace::parse(&text).expect("it is a trace");
        let spawns = |line: &&trace::Line| matches!(&line.step, Step::Spawn { from, .. } if from.contains("variable.rs"));
        assert_eq!(trace.lines.iter().filter(spawns).count(), 1);
    }
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn the_trace_of_a_program_that_is_killed_ends_with_what_it_went_to_sleep_over() {
    if env::var_os(CHILD).is_some() {
        return program();
    }
    let folder = folder("reactor-trace-killed");
    let file = folder.join("run.trace");
    let name = "the_trace_of_a_program_that_is_killed_ends_with_what_it_went_to_sleep_over";
    assert!(!run_child(name, "killed", &file.display().to_string()));
    let text = fs::read_to_string(folder.join("run.trace.3")).expect("it was written");
    let trace = Trace::parse(&text).expect("it is a trace");
    let timer = |line: &trace::Line| matches!(line.step, Step::TimerSet { .. });
    assert!(trace.lines.iter().any(timer), "{text}");
    fs::remove_dir_all(folder).expect("ours");
}

#[test]
fn a_percent_p_in_the_name_is_the_number_of_the_process() {
    if env::var_os(CHILD).is_some() {
        return program();
    }
    let folder = folder("reactor-trace-numbered");
    let file = folder.join("run.%p.trace");
    let name = "a_percent_p_in_the_name_is_the_number_of_the_process";
    assert!(run_child(name, "whole", &file.display().to_string()));
    let files = fs::read_dir(&folder).expect("ours");
    let names = files.map(|file| file.expect("readable").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("text"))
        .collect();
    names.sort();
    let [first, second] = &names[..] else {
        panic!("{names:?}");
    };
    let number = first
        .strip_prefix("run.")
        .and_then(|name| name.strip_suffix(".trace"));
    let number: Option<u32> = number.and_then(|number| number.parse().ok());
    assert!(
        number.is_some_and(|number| number != std::process::id()),
        "{names:?}"
    );
    assert_eq!(*second, format!("{first}.2"));
    fs::remove_dir_all(folder).expect("ours");
}
