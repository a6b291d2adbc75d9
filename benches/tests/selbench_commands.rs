//! `selbench` as a program: its exit codes, its files, and that its checks find what is broken.
//!
//! The figures themselves are never asserted: tests run on busy machines and in debug builds.

#![cfg(feature = "selbench")]

use std::path::PathBuf;
use std::process::{Command, Output};

use benches::selbench::histogram;
use benches::selbench::schema::Document;

fn selbench(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(words)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder of this test's own; removed by the next run of the same test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn wrong_words_end_with_64() {
    for words in [
        &["nonsense"][..],
        &[],
        &["ring", "--subjects", "nobody"],
        &["echo", "--server", "192.0.2.1:80"],
        &["echo", "--placement", "spin-spin", "--subjects", "ours"],
        &["echo", "--subjects", "ours-spin"],
        &["fair", "--server", "192.0.2.1:80"],
        &["capacity", "--subjects", "nobody"],
        &["compare", "ours-epoll", "tokio"],
        &["ring", "--blocks", "0"],
        &["report", "/nonexistent.json"],
    ] {
        let output = selbench(words);
        assert_eq!(
            output.status.code(),
            Some(64),
            "{words:?}: {}",
            text(&output.stderr)
        );
        assert!(!output.stderr.is_empty(), "{words:?} is explained");
    }
}

/// It measures less where the machine is busy, and then says so with a 2; it never falls over.
#[test]
fn a_preset_goes_through_and_leaves_its_files() {
    let folder = folder("preset");
    let output = selbench(&["matrix", "smoke", "--out", folder.to_str().unwrap()]);
    let told = text(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{told}");
    let json = std::fs::read_to_string(folder.join("results.json")).unwrap();
    let document: Document = serde_json::from_str(&json).unwrap();
    assert!(!document.slices.is_empty(), "{told}");
    for name in ["results.csv", "report.html"] {
        assert!(folder.join(name).exists(), "{name}");
    }
}

#[test]
fn every_command_has_a_page_of_help() {
    for command in [
        "env",
        "selftest",
        "ring",
        "map",
        "register",
        "echo",
        "load",
        "capacity",
        "churn",
        "fair",
        "overload",
        "switch",
        "timers",
        "wake",
        "idle",
        "cascade",
        "compare",
        "matrix",
        "gate",
        "report",
        "completions",
    ] {
        let output = selbench(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(
            text(&output.stdout).contains("Usage: selbench"),
            "{command}"
        );
    }
}

#[test]
fn compat_prints_25_numbers_like_libevents_bench() {
    let output = selbench(&["ring", "--compat", "--registered", "20", "--active", "2"]);
    let text = text(&output.stdout);
    let numbers = text.lines().filter(|line| line.parse::<u64>().is_ok());
    assert_eq!(numbers.count(), 25, "{text}");
}

#[test]
fn a_ring_counts_its_system_calls_exactly() {
    let folder = folder("ring");
    let json = folder.join("ring.json");
    let output = selbench(&[
        "ring",
        "--registered",
        "8",
        "--blocks",
        "1",
        "--ms",
        "5",
        "--no-floor",
        "--subjects",
        "bare-epoll,ours-epoll,ours-epoll-oneshot,ours-poll",
        "--json",
        json.to_str().unwrap(),
    ]);
    assert!(
        text(&output.stdout).contains("ours-epoll-oneshot"),
        "{}",
        text(&output.stderr)
    );
    let document = Document::read(json.to_str().unwrap()).unwrap();
    assert_eq!(document.slices.len(), 4);
    for slice in &document.slices {
        let each = |name: &str| slice.system_calls.get(name).copied().unwrap_or(0.0);
        let changes = if slice.spec.subject.ends_with("oneshot") {
            1.0
        } else {
            0.0
        };
        assert_eq!(
            [each("wait"), each("read"), each("write"), each("change")],
            [1.0, 1.0, 1.0, changes],
            "{}",
            slice.spec.subject
        );
    }
}

#[test]
fn a_point_whose_time_is_used_up_ends_after_five_blocks() {
    let json = folder("budget").join("ring.json");
    let words = "ring --registered 8 --ms 1 --no-floor --subjects bare-epoll,ours-epoll";
    let words = words
        .split(' ')
        .chain(["--budget", "0", "--json", json.to_str().unwrap()]);
    let output = selbench(&words.collect::<Vec<_>>());
    let document = Document::read(json.to_str().unwrap()).unwrap_or_else(|problem| {
        panic!("{problem}: {}", text(&output.stderr));
    });
    assert_eq!(document.slices.len(), 10);
    assert!(!document.interrupted, "a used-up share is no interruption");
}

#[test]
fn an_open_loop_answers_every_message_and_writes_every_file() {
    let folder = folder("load");
    let [json, csv, html] = ["load.json", "load.csv", "load.html"].map(|name| folder.join(name));
    let output = selbench(&[
        "load",
        "--subjects",
        "bare,ours",
        "--rates",
        "2000",
        "--connections",
        "4",
        "--idle",
        "5",
        "--blocks",
        "1",
        "--ms",
        "400",
        "--no-floor",
        "--placement",
        "same-cpu",
        "--json",
        json.to_str().unwrap(),
        "--csv",
        csv.to_str().unwrap(),
        "--html",
        html.to_str().unwrap(),
        "--hgrm",
        folder.to_str().unwrap(),
    ]);
    let document = Document::read(json.to_str().unwrap()).unwrap_or_else(|problem| {
        panic!("{problem}: {}", text(&output.stderr));
    });
    assert_eq!(document.slices.len(), 2);
    for slice in &document.slices {
        let codes: Vec<_> = slice.flags.iter().map(|flag| flag.reason.code()).collect();
        assert!(
            !codes.contains(&"errors") && !codes.contains(&"lost"),
            "{:?}",
            slice.flags
        );
        let response = histogram::decode(&slice.histograms["response"]).unwrap();
        // Due in 400 ms at 2000 a second, give or take those at the ends; what was late was sent
        // afterwards all the same.
        let replies = response.len();
        assert!((798..=802).contains(&replies), "{replies} replies");
        let service = histogram::decode(&slice.histograms["service"]).unwrap();
        assert!(
            service.max() <= response.max(),
            "service is a part of response"
        );
    }
    assert_eq!(std::fs::read_to_string(csv).unwrap().lines().count(), 3);
    assert!(std::fs::read_to_string(html).unwrap().contains("</html>"));
}

#[test]
fn echoes_of_every_size_are_verified() {
    let folder = folder("echo");
    let json = folder.join("echo.json");
    selbench(&[
        "echo",
        "--subjects",
        "ours",
        "--size",
        "1,1024,16384",
        "--connections",
        "3",
        "--depth",
        "3",
        "--blocks",
        "1",
        "--ms",
        "100",
        "--no-floor",
        "--json",
        json.to_str().unwrap(),
    ]);
    let document = Document::read(json.to_str().unwrap()).unwrap();
    assert_eq!(document.slices.len(), 3);
    for slice in &document.slices {
        let errors = slice
            .flags
            .iter()
            .find(|flag| flag.reason.code() == "errors");
        assert!(errors.is_none(), "{errors:?}");
        assert!(slice.metrics["replies"] > 0.0);
    }
}

#[test]
fn the_gate_knows_more_system_calls_and_two_sessions() {
    let folder = folder("gate");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let base = path("base.json");
    selbench(&[
        "ring",
        "--registered",
        "4",
        "--blocks",
        "1",
        "--ms",
        "5",
        "--no-floor",
        "--subjects",
        "bare-epoll",
        "--json",
        &base,
    ]);
    let mut document = Document::read(&base).unwrap();
    // A debug build and a busy machine make slices invalid; here they only carry numbers.
    document
        .slices
        .iter_mut()
        .for_each(|slice| slice.flags.clear());
    let write = |name: &str, document: &Document| {
        std::fs::write(path(name), serde_json::to_string(document).unwrap()).unwrap();
    };
    write("base.json", &document);
    let mut slower = document.clone();
    *slower.slices[0].metrics.get_mut("ns_per_event").unwrap() *= 1.5;
    write("slower.json", &slower);
    let mut chatty = document.clone();
    *chatty.slices[0].system_calls.get_mut("wait").unwrap() += 1.0;
    write("chatty.json", &chatty);
    let gate = |new: &[&str]| {
        let paths: Vec<String> = new.iter().map(|name| path(name)).collect();
        let words: Vec<&str> = ["gate", &base]
            .into_iter()
            .chain(paths.iter().map(String::as_str))
            .collect();
        selbench(&words).status.code()
    };
    assert_eq!(gate(&["base.json"]), Some(0));
    assert_eq!(
        gate(&["slower.json"]),
        Some(0),
        "one session proves nothing"
    );
    assert_eq!(gate(&["slower.json", "slower.json"]), Some(1));
    assert_eq!(
        gate(&["slower.json", "base.json"]),
        Some(0),
        "sessions disagree"
    );
    assert_eq!(gate(&["chatty.json"]), Some(1));
    document.slices.clear();
    write("empty.json", &document);
    assert_eq!(gate(&["empty.json"]), Some(2), "nothing was compared");
}
