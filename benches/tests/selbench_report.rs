//! The report in a real browser: headless Chromium loads it, and every figure carries its data.

#![cfg(feature = "selbench")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

const CHROMIUM: &str = "/usr/bin/chromium";

/// A short run of each workload, in words of the command line.
const RUNS: &[(&str, &str)] = &[
    (
        "ring",
        "ring --registered 1,8,64 --ms 3 --subjects ours-epoll,ours-poll",
    ),
    (
        "map",
        "map --most 16 --ms 10 --subjects ours-epoll,ours-poll",
    ),
    (
        "register",
        "register --registered 10 --ms 3 --subjects ours-epoll,ours-poll",
    ),
    ("echo", "echo --subjects bare,ours --connections 4 --ms 100"),
    (
        "load",
        "load --subjects bare,ours --rates 1000,3000 --connections 4 --ms 300 --placement same-cpu",
    ),
    (
        "capacity",
        "capacity --subjects bare,ours --connections 4 --ms 10 --placement same-cpu",
    ),
    (
        "fair",
        "fair --subjects bare,ours --connections 4 --rate 2000 --ms 50 --placement same-cpu",
    ),
    (
        "overload",
        "overload --subjects bare,ours --connections 4 --calm 500 --peak 2000 --ms 200 --placement same-cpu",
    ),
    ("switch", "switch --subjects ours --tasks 10,20 --ms 5"),
    (
        "timers",
        "timers --subjects ours --timers 100,1000,5000 --sleeps 50,1000 --ms 20",
    ),
    (
        "wake",
        "wake --subjects ours --senders 0,1 --burst 1,20 --placement same-cpu --ms 20",
    ),
    (
        "churn",
        "churn --subjects bare,ours --connections 2 --ms 100",
    ),
    ("idle", "idle --subjects bare,ours --connections 10 --ms 10"),
    (
        "cascade",
        "cascade --subjects ours,bare --fds 1,4,16 --ms 5",
    ),
];

#[test]
fn every_figure_carries_its_data_in_a_browser() {
    let folder = folder("report");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let mut files = Vec::new();
    for (name, words) in RUNS {
        let json = path(&format!("{name}.json"));
        let words = words.split(' ').chain(["--blocks", "1", "--no-floor"]);
        run(&words.chain(["--json", &json]).collect::<Vec<_>>());
        edit(&json, |slice| known(name, slice));
        files.push(json);
    }
    let html = path("report.html");
    let words = ["report"]
        .into_iter()
        .chain(files.iter().map(String::as_str));
    run(&words.chain(["-o", &html]).collect::<Vec<_>>());
    let written = std::fs::read_to_string(&html).unwrap();
    assert!(!written.contains("<script"), "no script is needed");
    assert!(!written.contains("http"), "nothing is fetched");
    assert!(
        !written.contains("NaN") && !written.contains(">inf"),
        "every number is one"
    );
    // What a browser made of the page; where there is none, the page as it was written.
    let page = if Path::new(CHROMIUM).exists() {
        browse(&html, &path("profile"))
    } else {
        written
    };
    let curve = |id: &str, subject: &str, points: usize| {
        let start = format!("data-subject=\"{subject}\" data-points=\"{points}\"");
        let found = figure(&page, id).matches(&start).count();
        assert!(found > 0, "{id}: no curve with {start}");
        found
    };
    let bars = |id: &str, subject: &str| {
        let start = format!("data-subject=\"{subject}\" data-of=");
        figure(&page, id).matches(&start).count()
    };
    curve("cost", "ours-poll", 3);
    // Sizes 1, 4 and 16 have 1, 4 and 6 different numbers of active fds.
    assert_eq!(figure(&page, "map").matches("data-winner").count(), 11);
    curve("offered", "ours p50", 2);
    let knee = "ours: p99 is above 3 times that of the lowest rate between 1000 and 3000/s";
    assert!(figure(&page, "offered").contains(knee), "the knee in words");
    assert!(figure(&page, "percentiles").contains("data-subject=\"ours, max "));
    assert!(figure(&page, "time-line").contains("data-subject=\"bare p99\""));
    let calls = "data-of=\"wait\" data-from=\"0.000\" data-to=\"1.000\"";
    assert_eq!(figure(&page, "system-calls").matches(calls).count(), 2);
    assert_eq!(bars("register", "ours-poll"), 3, "operations");
    assert_eq!((bars("echo", "bare"), bars("echo", "ours")), (1, 1));
    let capacity = figure(&page, "capacity");
    assert_eq!((bars("capacity", "bare"), bars("capacity", "ours")), (1, 1));
    assert!(capacity.contains("data-to=\"2000.000\""), "{capacity}");
    assert!(capacity.contains("data-level=\"1000000\""), "the goal");
    assert_eq!(capacity.matches("data-stake=\"2000\"").count(), 2);
    // The flood is no point of the curve.
    curve("capacity", "ours", 3);
    let fair = figure(&page, "fair");
    for (subject, valid) in [("bare", "false"), ("ours", "true")] {
        for (half, from, to) in [("alone", 1e4, 2e4), ("beside bulk", 3e4, 4e7)] {
            let bar = format!(
                "data-subject=\"{subject} {half}\" data-of=\"response\" data-from=\"{from:.3}\" data-to=\"{to:.3}\" data-valid=\"{valid}\""
            );
            assert!(fair.contains(&bar), "no {bar} in {fair}");
        }
    }
    assert_eq!(bars("overload", "ours"), 2, "answered and late");
    // 1200 ms have twelve whole windows.
    curve("overload", "bare", 12);
    curve("overload", "offered", 6);
    assert_eq!(bars("switch", "ours"), 6, "three operations, two sizes");
    assert!(figure(&page, "switch").contains(" allocation"));
    assert_eq!(curve("timers", "ours", 3), 4, "a panel for each operation");
    let growth = "ours: a reset is 1.8 times as dear with 5000 as with 100";
    assert!(
        figure(&page, "timers").contains(growth),
        "the growth in words"
    );
    curve("overshoot", "ours median", 2);
    let wakes = figure(&page, "wake");
    assert_eq!(
        wakes.matches("<g class=\"series\"").count(),
        4,
        "ways of waking"
    );
    assert_eq!(bars("churn", "ours"), 2, "closed in order and by a reset");
    let churn = figure(&page, "churn");
    assert_eq!(
        churn
            .matches("<g class=\"series\" data-subject=\"bare\"")
            .count(),
        2
    );
    for part in ["buffer", "task", "other resident", "kernel"] {
        let segment = format!("data-subject=\"ours\" data-of=\"{part}\"");
        assert_eq!(figure(&page, "idle").matches(&segment).count(), 1, "{part}");
    }
    assert_eq!(curve("cascade", "ours", 3), 2, "registering and the ripple");
    assert!(page.contains("id=\"flags\"") && page.contains("mitigations"));
}

#[test]
fn what_is_invalid_is_never_drawn_as_valid() {
    let folder = folder("report-invalid");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (json, html) = (path("ring.json"), path("report.html"));
    let words = "ring --registered 1,8,64 --ms 3 --subjects ours-epoll --blocks 1 --no-floor";
    run(&words
        .split(' ')
        .chain(["--json", &json])
        .collect::<Vec<_>>());
    // One of three points is invalid: a reset was seen.
    edit(&json, |slice| {
        slice["flags"] = if slice["spec"]["parameters"]["registered"] == 8.0 {
            json!([{"reason": "errors", "detail": "a reset"}])
        } else {
            json!([])
        };
    });
    run(&["report", &json, "-o", &html]);
    let page = std::fs::read_to_string(&html).unwrap();
    let cost = figure(&page, "cost");
    assert!(
        cost.contains("data-subject=\"ours-epoll\" data-points=\"3\" data-invalid=\"1\""),
        "{cost}"
    );
    let begin = cost.find("<g class=\"series\"").unwrap();
    let series = &cost[begin..begin + cost[begin..].find("</g>").unwrap()];
    assert_eq!(series.matches("mark hollow").count(), 1, "{series}");
    assert!(series.contains("curve invalid"), "dashed: {series}");
    assert!(!series.contains("class=\"curve c"), "none solid: {series}");
    assert!(page.contains("2 of 3 slices are valid"), "{page}");
}

/// Puts known numbers into slices that a busy machine may leave without: percentiles of few samples
/// are not told, and a search may find nothing.
fn known(name: &str, slice: &mut Value) {
    match name {
        "fair" => {
            let invalid = json!([{"reason": "errors", "detail": "a reset"}]);
            let bare = slice["spec"]["subject"] == "bare";
            slice["flags"] = if bare { invalid } else { json!([]) };
            slice["metrics"] = json!({
                "alone_p50_ns": 1e4, "alone_p99_ns": 2e4,
                "response_p50_ns": 3e4, "response_p99_ns": 4e7, "bulk_mb_per_second": 500.0,
            });
        }
        "capacity" => {
            let probe = |rate: f64, p99: f64| json!({"rate": rate, "p99_ns": p99, "met": p99 <= 1e6, "confirmation": false});
            slice["metrics"]["rate"] = json!(2000.0);
            slice["probes"] = json!([
                probe(5e6, 6e10),
                probe(1000.0, 2e5),
                probe(2500.0, 9e7),
                probe(2000.0, 8e5),
            ]);
        }
        "load" => {
            slice["flags"] = json!([]);
            let high = slice["spec"]["parameters"]["rate"] == 3000.0;
            slice["metrics"]["response_p99_ns"] = json!(if high { 4e6 } else { 1e6 });
        }
        "timers" if slice["spec"]["workload"] == "storm" => {
            slice["flags"] = json!([]);
            let timers = slice["spec"]["parameters"]["timers"].as_f64().unwrap();
            slice["metrics"]["reset_ns"] = json!(timers.log10());
        }
        _ => {}
    }
}

/// Changes every slice of a file.
fn edit(path: &str, change: impl Fn(&mut Value)) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let slices = document["slices"].as_array_mut().unwrap();
    slices.iter_mut().for_each(change);
    std::fs::write(path, document.to_string()).unwrap();
}

/// A folder of this test's own; removed by the next run of the same test.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn run(words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_selbench"))
        .args(words)
        .output()
        .unwrap();
    // 2 says that every slice is invalid, as in a debug build: they are drawn nevertheless.
    let code = output.status.code();
    assert!(
        matches!(code, Some(0 | 2)),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn browse(html: &str, profile: &str) -> String {
    let output = Command::new(CHROMIUM)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .arg(format!("--user-data-dir={profile}"))
        .args(["--dump-dom", &format!("file://{html}")])
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        page.contains("</html>"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    page
}

fn figure<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page
        .find(&format!("<figure id=\"{id}\">"))
        .unwrap_or_else(|| panic!("no {id}"));
    let end = page[start..]
        .find("</figure>")
        .unwrap_or(page.len() - start);
    &page[start..start + end]
}
