//! The workloads of `selbench` that need no load generator: each is run briefly on every subject,
//! and what it tells must be true. Counts and shapes are asserted, times never: tests run on busy
//! machines and in debug builds.

#![cfg(feature = "selbench")]

use std::path::PathBuf;
use std::process::Command;

use benches::selbench::histogram;
use benches::selbench::schema::{Document, Slice};

/// Runs a workload, one block and no A/A pair, and reads what it wrote; the name is this test's
/// own.
fn measure(name: &str, words: &[&str]) -> Vec<Slice> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("alone-{name}.json"));
    let _ = std::fs::remove_file(&file);
    let output = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(words)
        .args(["--blocks", "1", "--no-floor", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let document = Document::read(file.to_str().unwrap())
        .unwrap_or_else(|problem| panic!("{problem}: {}", String::from_utf8_lossy(&output.stderr)));
    let slices = document.slices;
    assert!(!slices.is_empty(), "{words:?} measured something");
    for slice in &slices {
        let error = slice
            .flags
            .iter()
            .find(|flag| flag.reason.code() == "errors");
        assert!(error.is_none(), "{} {error:?}", row(slice));
        let table = String::from_utf8_lossy(&output.stdout);
        assert!(
            table.contains(&slice.spec.point()),
            "{}: {table}",
            row(slice)
        );
    }
    slices
}

/// What a message about a slice begins with.
fn row(slice: &Slice) -> String {
    format!("{} on {}", slice.spec.point(), slice.spec.subject)
}

/// A metric of a slice, which it must have.
fn metric(slice: &Slice, name: &str) -> f64 {
    let value = slice.metrics.get(name).copied();
    value.unwrap_or_else(|| panic!("{} has no {name}: {:?}", row(slice), slice.metrics))
}

#[test]
fn every_task_switches_as_often_as_it_is_asked_to() {
    let words = ["switch", "--tasks", "10", "--ms", "5"];
    let slices = measure("switch", &words);
    for slice in &slices {
        let switches = match slice.spec.choice("operation") {
            "spawn-join" => 10.0,
            _ => 100_000.0,
        };
        assert_eq!(metric(slice, "switches"), switches, "{}", row(slice));
        assert!(metric(slice, "ns_per_switch") > 0.0);
        let allocated = metric(slice, "allocations_per_task");
        if slice.spec.subject == "ours" {
            // It has the box of one that is over, if that one's type was the same, and ten thousand
            // switches ask for no memory.
            let same = slice.spec.choice("operation") != "ping-pong";
            let most = if same { 0.5 } else { 2.0 };
            assert!(allocated < most, "{}: {allocated}", row(slice));
        } else {
            assert!(allocated >= 1.0, "{}: a task is on the heap", row(slice));
        }
    }
}

#[test]
fn a_storm_of_timers_fires_all_of_them_however_many_there_are() {
    let words = ["timers", "--without", "sleeps", "--timers", "500,50000"];
    for slice in measure("storm", &[&words[..], &["--ms", "5"]].concat()) {
        let asked = slice.spec.number("timers");
        assert_eq!(metric(&slice, "expired"), asked, "{}", row(&slice));
        for name in ["insert_ns", "reset_ns", "cancel_ns", "expire_ns"] {
            assert!(metric(&slice, name) >= 0.0, "{}: {name}", row(&slice));
        }
    }
}

#[test]
fn no_sleep_ends_early_on_any_runtime() {
    let words = ["timers", "--without", "storm", "--sleeps", "50,2000"];
    for slice in measure("sleeps", &[&words[..], &["--ms", "20"]].concat()) {
        assert_eq!(metric(&slice, "early"), 0.0, "{}", row(&slice));
        let recorded = histogram::decode(&slice.histograms["overshoot"]).unwrap();
        assert_eq!(recorded.len() as f64, metric(&slice, "sleeps"));
        assert!(recorded.len() >= 10);
    }
}

#[test]
fn every_wake_arrives_and_only_foreign_ones_are_written() {
    let words = ["wake", "--senders", "0,1,2", "--burst", "1,20"];
    let slices = measure("wake", &[&words[..], &["--ms", "20"]].concat());
    for slice in &slices {
        let (senders, burst) = (slice.spec.count("senders"), slice.spec.number("burst"));
        let wakes = metric(slice, "wakes");
        let lost = slice.flags.iter().find(|flag| flag.reason.code() == "lost");
        assert!(lost.is_none(), "{} {lost:?}", row(slice));
        assert!(wakes >= burst, "{}: {wakes} wakes", row(slice));
        let recorded = histogram::decode(&slice.histograms["wake"]).unwrap().len() as f64;
        if senders < 2 && wakes < 900_000.0 {
            assert_eq!(recorded, wakes, "{}", row(slice));
        }
        let writes = metric(slice, "writes_per_burst");
        if senders == 0 {
            assert_eq!(writes, 0.0, "{}: the loop need not be woken", row(slice));
        } else {
            // Once for each wake at most, plus what a stop that is under way asks for.
            assert!(writes <= burst + 0.5, "{}: {writes} a burst", row(slice));
        }
    }
}

#[test]
fn an_idle_server_of_ours_sleeps_and_each_connection_costs_memory() {
    let words = ["idle", "--connections", "50"];
    let slices = measure("idle", &[&words[..], &["--ms", "100"]].concat());
    let subjects: Vec<_> = slices.iter().map(|slice| &*slice.spec.subject).collect();
    assert!(subjects.contains(&"bare"), "{subjects:?}");
    for slice in &slices {
        // What is there for all connections from the start is no connection's.
        let heap = metric(slice, "heap_bytes_per_connection");
        let tasks = !["bare", "mio"].contains(&&*slice.spec.subject);
        assert_eq!(heap > 0.0, tasks, "{}: {heap} bytes", row(slice));
        if slice.spec.subject.starts_with("ours") {
            assert_eq!(metric(slice, "wakeups"), 0.0, "{}", row(slice));
            // The buffer is in the task.
            let task = metric(slice, "task_bytes_per_connection");
            assert!(task > 0.0 && task < 4096.0, "{}: {task} bytes", row(slice));
        }
        let restless = slice
            .flags
            .iter()
            .any(|one| one.reason.code() == "restless");
        assert_eq!(restless, metric(slice, "wakeups") > 0.0, "{}", row(slice));
    }
}

#[test]
fn the_byte_of_a_cascade_passes_every_link_and_both_parts_are_told() {
    let words = ["cascade", "--fds", "1,40", "--ms", "5"];
    let slices = measure("cascade", &words);
    assert!(slices.iter().any(|slice| slice.spec.subject == "bare"));
    for slice in &slices {
        assert_eq!(
            metric(slice, "passed"),
            slice.spec.number("fds"),
            "{}",
            row(slice)
        );
        let parts = ["register_us", "dispatch_us"].map(|name| metric(slice, name));
        assert!(
            parts.iter().all(|&part| part > 0.0),
            "{}: {parts:?}",
            row(slice)
        );
        // Medians over laps: the whole is not exactly the sum of its parts, but longer than each.
        let total = metric(slice, "total_us");
        assert!(total >= parts[0].max(parts[1]), "{}: {total}", row(slice));
    }
}

#[test]
fn whoever_is_named_first_is_the_baseline_and_ours_if_nobody_is() {
    let words = [
        "switch",
        "--operations",
        "yield",
        "--tasks",
        "1",
        "--ms",
        "1",
    ];
    let of = |name: &str, more: &[&str]| -> Vec<String> {
        let slices = measure(name, &[&words[..], more].concat());
        slices.into_iter().map(|one| one.spec.baseline).collect()
    };
    for (name, subjects, baseline) in [
        ("baseline-ours", &[][..], "ours"),
        ("baseline-smol", &["--subjects", "smol,ours,tokio"], "smol"),
        ("baseline-tokio", &["--subjects", "tokio,ours"], "tokio"),
    ] {
        let told = of(name, subjects);
        assert!(told.iter().all(|one| one == baseline), "{told:?}");
    }
}
