//! `see`: the front door. One command writes a page that shows every step.

mod program;

use std::{env, fs};

use program::run;

#[test]
fn writes_one_page_that_compares_the_backends() {
    let file = env::temp_dir().join(format!("see-{}.html", std::process::id()));
    let arguments = format!("echo --backend select,poll -o {}", file.display());
    let outcome = run("see", &arguments);
    outcome.assert_success();
    // The address begins in comparison; examples/trace/tests/browser.rs opens such a one.
    let address = format!("open file://{}#compare\n", file.display());
    assert!(outcome.stdout.contains(&address), "{outcome:#?}");
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
    let outcome = run("see", &format!("clock -o {}", file.display()));
    outcome.assert_success();
    assert!(!outcome.stdout.contains("#compare"), "{outcome:#?}");
    let page = fs::read_to_string(&file).expect("it said that it wrote it");
    for event in ["timer_set", "timer_fired", "notify", "\"by\":\"thread\""] {
        assert!(page.contains(event), "{event}");
    }
    fs::remove_file(file).expect("ours");
}

#[test]
fn a_backend_that_does_not_exist_is_named() {
    let outcome = run("see", "echo --backend iocp");
    assert!(outcome.assert_failure(2).contains("iocp"), "{outcome:#?}");
}
