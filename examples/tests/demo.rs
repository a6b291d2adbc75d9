//! `echo --demo`: the first thing that a newcomer runs.

mod program;

use program::{command, run};

#[test]
fn shows_every_backend_and_that_all_bytes_were_verified() {
    let outcome = run("echo", "--demo");
    outcome.assert_success();
    for backend in ["select (level)", "poll (level)"] {
        assert!(outcome.stdout.contains(backend), "{outcome:#?}");
    }
    #[cfg(target_os = "linux")]
    assert!(outcome.stdout.contains("epoll (edge)"), "{outcome:#?}");
    assert!(outcome.stdout.contains("verified: all "), "{outcome:#?}");
    assert!(outcome.stdout.contains("10,000"), "{outcome:#?}");
}

#[test]
fn shows_only_the_backend_that_was_asked_for() {
    let outcome = run("echo", "--demo --selector poll");
    outcome.assert_success();
    assert!(outcome.stdout.contains("poll (level)"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("select (level)"), "{outcome:#?}");
}

#[test]
fn takes_the_backend_from_the_variable() {
    let mut demo = command("echo", "--demo");
    demo.env("SELECTOR", "select");
    let outcome = program::Program::start(demo).finish();
    outcome.assert_success();
    assert!(outcome.stdout.contains("select (level)"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("poll"), "{outcome:#?}");
}
