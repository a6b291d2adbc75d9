//! The museum: every piece still shows its bug, exactly the lint of its label fires, and the fix
//! silences it.

mod program;

use std::{env, fs};

use program::{Outcome, Program, command};
use trace::{Trace, lint};

/// Runs a piece; the answer is how it ended and which lints fired.
fn run(piece: &str, arguments: &str) -> (Outcome, Vec<&'static str>) {
    let file = format!("{piece}{arguments}-{}.trace", std::process::id());
    let file = env::temp_dir().join(file);
    let mut command = command(piece, arguments);
    command.env("REACTOR_TRACE", &file);
    let outcome = Program::start(command).finish();
    outcome.assert_success();
    let text = fs::read_to_string(&file).expect("it was written");
    fs::remove_file(file).expect("ours");
    let trace = Trace::parse(&text).expect("it is a trace");
    let mut lints: Vec<_> = lint::all(&trace).iter().map(|hit| hit.lint).collect();
    lints.dedup();
    (outcome, lints)
}

#[track_caller]
fn shows(piece: &str, lint: &str, symptom: &str, relief: &str) {
    let (broken, lints) = run(piece, "");
    assert!(broken.stdout.contains(symptom), "{broken:?}");
    assert_eq!(lints, [lint], "{broken:?}");
    let (fixed, lints) = run(piece, "fixed");
    assert!(fixed.stdout.contains(relief), "{fixed:?}");
    assert!(!fixed.stdout.contains(symptom), "{fixed:?}");
    assert!(lints.is_empty(), "{lints:?} {fixed:?}");
}

#[test]
fn b01_a_task_without_a_waker_is_lost() {
    shows("b01_no_waker", "lost-task", "hangs", "has passed");
}

#[cfg(target_os = "linux")]
#[test]
fn b02_an_edge_between_arming_and_storing_is_lost() {
    shows("b02_armed_first", "stored-too-late", "hangs", "was woken");
}

#[test]
fn b03_a_waker_of_another_task_wakes_another_task() {
    shows("b03_stale_waker", "lost-task", "hangs", "has passed");
}

#[test]
fn b04_a_waker_called_under_a_lock_cannot_do_its_work() {
    let piece = "b04_wake_under_lock";
    shows(piece, "ready-but-asleep", "hangs", "was woken");
    let (broken, _) = run(piece, "");
    assert!(broken.stdout.contains("the lock"), "{broken:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn b07_what_one_read_leaves_is_no_news() {
    shows("b07_one_read", "ready-but-asleep", "hangs", "the whole");
}

#[cfg(target_os = "linux")]
#[test]
fn b09_a_number_given_out_again_is_somebody_else() {
    let (three, none) = ("woken 3 times", "woken 0 times");
    shows("b09_reused_fd", "closed-fd", three, none);
}

#[test]
fn b10_a_write_that_is_dropped_is_cut_in_two() {
    let (broken, lints) = run("b10_cut_write", "");
    assert_eq!(lints, ["cut-write"], "{broken:?}");
    let whole = "the peer got 4194304 bytes of 4194304";
    assert!(!broken.stdout.contains(whole), "{broken:?}");
    let (fixed, lints) = run("b10_cut_write", "fixed");
    assert!(lints.is_empty(), "{lints:?}");
    assert!(fixed.stdout.contains(whole), "{fixed:?}");
}

/// How often the loop turned.
fn turns(outcome: &Outcome) -> u64 {
    let number = outcome.stdout.split(' ').next();
    number
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

#[test]
fn b05_and_b06_spin() {
    for piece in ["b05_write_left_on", "b06_end_ignored"] {
        let (broken, lints) = run(piece, "");
        assert_eq!(lints, ["spin"], "{piece}");
        let (fixed, lints) = run(piece, "fixed");
        assert!(lints.is_empty(), "{lints:?}");
        assert!(turns(&fixed) <= 3, "{fixed:?}");
        assert!(turns(&broken) >= 8, "{broken:?}");
    }
}

#[test]
fn b08_one_task_that_blocks_holds_all_others_up() {
    let (_, lints) = run("b08_blocks", "");
    assert_eq!(lints, ["long-poll"]);
    // On a busy machine any poll may be long; so the fix is told by what is left of the rest.
    let (_, lints) = run("b08_blocks", "fixed");
    assert!(lints.iter().all(|lint| *lint == "long-poll"), "{lints:?}");
}
