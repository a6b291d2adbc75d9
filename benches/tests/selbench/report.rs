//! The report in a real browser: headless Chromium loads it; the answer comes first, and every figure
//! carries its data.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{document, files, quiet, runs, selbench, write};

const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn the_page_answers_first_and_every_figure_carries_its_data_in_a_browser() {
    let path = files("report");
    let mut words = format!("report -o {}", path("report.html"));
    for &(name, ref document) in runs() {
        let mut document = serde_json::to_value(document).unwrap();
        document["comparisons"] = json!([]);
        for slice in document["slices"].as_array_mut().unwrap() {
            known(name, slice);
        }
        if name == "ring" {
            // Fewer than four blocks have no interval, and nothing is said of them.
            let slices = document["slices"].as_array_mut().unwrap();
            let first = std::mem::take(slices);
            for block in 0..4 {
                for mut one in first.clone() {
                    one["spec"]["block"] = block.into();
                    slices.push(one);
                }
            }
        }
        write(&path(name), &document);
        words += &format!(" {}", path(name));
    }
    let (code, text) = selbench(&words);
    assert_eq!(code, Some(0), "{text}");
    let written = std::fs::read_to_string(path("report.html")).unwrap();
    // Nothing is run or fetched, and every number is one.
    for wrong in ["<script", "src=\"http", "href=\"http", "NaN", ">inf"] {
        assert!(!written.contains(wrong), "{wrong}");
    }
    // What a browser made of the page; where there is none, the page as it was written.
    let page = match Path::new(CHROMIUM).exists() {
        true => browse(&path("report.html"), &path("profile")),
        false => written,
    };
    let order = r#"id="summary" <nav> id="verdicts" id="figures" id="flags" id="environment""#;
    let places: Vec<usize> =
        order.split(' ').map(|id| page.find(id).unwrap_or_else(|| panic!("no {id}"))).collect();
    assert!(places.is_sorted(), "the answer, the contents, verdicts, figures, doubts: {places:?}");
    let said = "With 64 connections of which 1 is active, poll costs 4.0 times as much as epoll";
    assert!(page.contains(said), "{}", &page[places[0]..places[1]]);
    for (name, _) in runs() {
        assert!(page.contains(&format!("href=\"#of-{name}\"")), "{name} in the contents");
        assert!(page.contains(&format!("id=\"of-{name}\"")), "{name} has its verdicts");
    }
    for (name, charts, points) in [
        ("ring", 1, 6),
        ("load", 1, 8),
        ("storm", 4, 3),
        ("wake", 2, 0),
        ("churn", 2, 0),
        ("scaling", 2, 4),
        ("idle", 1, 2),
    ] {
        let figure = figure(&page, name).unwrap_or_else(|| panic!("no figure of {name}"));
        assert_eq!(figure.matches("<svg").count(), charts, "{name}");
        let told = figure.split("data-points=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(told.is_some_and(|told| told == points.to_string()), points > 0, "{name}");
    }
    assert!(figure(&page, "register").is_none(), "its table says as much");
    assert_eq!(figure(&page, "map").unwrap().matches("data-winner").count(), 11);
    assert!(figure(&page, "map").unwrap().contains("undecided"), "one block decides nothing");
    let knee = "ours: p99 is above 3 times that of the lowest rate between 1000 and 3000/s";
    assert!(figure(&page, "load").unwrap().contains(knee), "the knee in words");
    let growth = "ours: a reset is 1.8 times as dear with 5000 as with 100";
    assert!(figure(&page, "storm").unwrap().contains(growth), "the growth in words");
    assert!(page.contains("mitigations"));
}

#[test]
fn what_is_invalid_is_never_shown_as_valid() {
    let path = files("report-invalid");
    let document = document("invalid", "ring --registered 1,8,64 --ms 3 --subjects ours-epoll");
    let mut document = serde_json::to_value(&document).unwrap();
    // One of three points is invalid: a reset was seen.
    for slice in document["slices"].as_array_mut().unwrap() {
        let reset = slice["spec"]["parameters"]["registered"] == 8.0;
        slice["flags"] =
            if reset { json!([{"reason": "errors", "detail": "a reset"}]) } else { json!([]) };
    }
    write(&path("ring.json"), &document);
    let words = format!("report {} -o {}", path("ring.json"), path("report.html"));
    let (code, text) = selbench(&words);
    assert_eq!(code, Some(0), "{text}");
    let page = std::fs::read_to_string(path("report.html")).unwrap();
    assert!(page.contains("2 of 3 slices are valid"), "{page}");
    assert_eq!(page.matches("<tr class=\"hollow\">").count(), 1, "{page}");
    assert!(page.contains("!errors 1/1"));
}

#[test]
fn a_report_without_slices_is_written_and_says_so() {
    let path = files("report-nothing");
    let mut document = quiet("nothing", "ring --registered 2 --ms 3 --subjects ours-epoll");
    document.slices.clear();
    write(&path("none.json"), &document);
    let (code, text) = selbench(&format!("report {} -o {}", path("none.json"), path("none.html")));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("nothing was measured"), "{text}");
}

/// Puts known numbers into slices that a busy machine may leave without.
fn known(name: &str, slice: &mut Value) {
    slice["flags"] = json!([]);
    let number =
        |slice: &Value, name: &str| slice["spec"]["parameters"][name].as_f64().unwrap_or(0.0);
    slice["metrics"] = match name {
        "ring" => {
            slice["system_calls"] = json!({"wait": 1.0});
            let poll =
                slice["spec"]["subject"] == "ours-poll" && number(slice, "registered") == 64.0;
            let cost = if poll { 4000.0 } else { 1000.0 };
            json!({"ns_per_event": cost, "ns_per_wait": cost})
        }
        "load" => {
            let offered = number(slice, "rate");
            let p99 = if offered == 3000.0 { 4e6 } else { 1e6 };
            slice["histograms"] = json!({});
            json!({"offered": offered, "response_p99_ns": p99, "response_p50_ns": 1e5})
        }
        "storm" => {
            let ns = number(slice, "timers").log10();
            json!({"insert_ns": ns, "reset_ns": ns, "cancel_ns": ns, "expire_ns": ns})
        }
        "scaling" => json!({"server_ns_per_echo": 5000.0}),
        "idle" => json!({"rss_above_buffer_bytes": 400.0}),
        _ => return,
    };
}

fn browse(html: &str, profile: &str) -> String {
    let quiet = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
                 --disable-background-networking --disable-component-update --disable-sync";
    let output = Command::new(CHROMIUM)
        .args(quiet.split_whitespace())
        .arg(format!("--user-data-dir={profile}"))
        .args(["--dump-dom", &format!("file://{html}")])
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(page.contains("</html>"), "{}", String::from_utf8_lossy(&output.stderr));
    page
}

fn figure<'a>(page: &'a str, id: &str) -> Option<&'a str> {
    let start = page.find(&format!("<figure id=\"{id}\">"))?;
    let end = page[start..].find("</figure>")?;
    Some(&page[start..start + end])
}
