//! The report in a real browser: headless Chromium loads it, and the figures carry their data.

#![cfg(feature = "selbench")]

use std::path::{Path, PathBuf};
use std::process::Command;

const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn the_figures_carry_their_data_in_a_browser() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    run(&[
        "ring",
        "--registered",
        "1,8,64",
        "--blocks",
        "1",
        "--ms",
        "3",
        "--no-floor",
        "--subjects",
        "ours-epoll,ours-poll",
        "--json",
        &path("ring.json"),
    ]);
    run(&[
        "map",
        "--most",
        "16",
        "--blocks",
        "1",
        "--ms",
        "10",
        "--no-floor",
        "--subjects",
        "ours-epoll,ours-poll",
        "--json",
        &path("map.json"),
    ]);
    run(&[
        "load",
        "--subjects",
        "bare,ours",
        "--rates",
        "1000,3000",
        "--connections",
        "4",
        "--blocks",
        "1",
        "--ms",
        "300",
        "--no-floor",
        "--placement",
        "same-cpu",
        "--json",
        &path("load.json"),
    ]);
    let html = path("report.html");
    run(&[
        "report",
        &path("ring.json"),
        &path("map.json"),
        &path("load.json"),
        "-o",
        &html,
    ]);
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
    for id in [
        "percentiles",
        "cost",
        "map",
        "offered",
        "time-line",
        "system-calls",
    ] {
        assert!(
            page.contains(&format!("<figure id=\"{id}\">")),
            "{id} is drawn"
        );
    }
    let cost = figure(&page, "cost");
    assert_eq!(
        cost.matches("class=\"curve").count() - cost.matches("h18").count(),
        2
    );
    assert!(
        cost.contains("data-subject=\"ours-poll\" data-points=\"3\""),
        "{cost}"
    );
    // Sizes 1, 4 and 16 have 1, 4 and 6 different numbers of active fds.
    assert_eq!(figure(&page, "map").matches("data-winner").count(), 11);
    let offered = figure(&page, "offered");
    assert!(offered.contains("data-points=\"2\""), "{offered}");
    assert!(page.contains("data-call=\"wait\" data-each=\"1.000\""));
    assert!(page.contains("id=\"flags\"") && page.contains("mitigations"));
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
