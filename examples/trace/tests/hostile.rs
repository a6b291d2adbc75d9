//! Traces that mean harm. What they say may be shown, and does nothing.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::{Value, json};
use trace::{Trace, chrome, html, lint};

mod support;
use support::browser::Browser;

/// Runs wherever it becomes markup, and leads away where scripts do not run.
const EVIL: &str = r#"</script><script>document.title = 'owned'</script><img src=x onerror="document.title = 'owned'"><meta http-equiv="refresh" content="0;url=about:blank"><form action="http://127.0.0.1:9/"><a href="javascript:document.title='owned'"><base href="about:blank"><b>"#;

/// Every record, with every field that it can have.
fn records() -> Vec<Value> {
    let text = "evil";
    let task = |event: &str| json!({"e": event, "task": 0});
    let mut records = vec![
        json!({"e": "spawn", "task": 0, "from": text}),
        json!({"e": "enqueue", "task": 0, "queued": 1}),
        task("poll_begin"),
        json!({"e": "register", "fd": 0, "raw": 7, "events": text}),
        json!({"e": "modify", "fd": 0, "events": text}),
        json!({"e": "waker_stored", "fd": 0, "dir": text, "crowded": true}),
        json!({"e": "waker_stored", "fd": 0, "dir": "__proto__", "crowded": true}),
        json!({"e": "wake", "task": 0, "by": text, "coalesced": false}),
        json!({"e": "wake", "task": 0, "by": "constructor", "coalesced": false}),
        json!({"e": "poll_end", "task": 0, "ready": false}),
        json!({"e": "select_begin", "timeout": 5, "keys": 1}),
        json!({"e": "select_end", "ready": [[0, text]]}),
        json!({"e": "notify"}),
        json!({"e": "timer_set", "timer": 0, "deadline": u64::MAX}),
        json!({"e": "timer_alone", "timer": 0}),
        json!({"e": "timer_fired", "timer": 0}),
        json!({"e": "unregister", "fd": 0}),
        task("lost"),
        task("drop_pending"),
        task("done"),
        json!({"e": "recorder", "took": u64::MAX, "limit": u64::MAX, "held_up": u64::MAX}),
    ];
    for result in ["ok", "short", "would_block", "error", text] {
        records.push(
            json!({"e": "syscall", "fd": 0, "call": text, "result": result,
                            "n": u64::MAX, "errno": i32::MIN}),
        );
    }
    for (time, record) in records.iter_mut().enumerate() {
        record["t"] = json!(if time % 5 == 4 {
            u64::MAX
        } else {
            time as u64 + 1
        });
        record["at"] = json!(text);
        // Fields that the page keeps for itself, and one that nobody knows.
        for field in ["lane", "run", "place", "station", "evil"] {
            record[field] = json!(text);
        }
    }
    records
}

fn text(records: &[Value]) -> String {
    let header = json!({"trace": "reactor", "version": 1, "backend": "evil", "trigger": "evil", "note": "evil",
                        "overhead": {"record_ns": 1, "write_ns": u64::MAX, "evil": "evil"}});
    let lines = [&header]
        .into_iter()
        .chain(records)
        .map(|line| format!("{line}\n"));
    let text: String = lines.collect();
    text.replace("\"evil\"", &json!(EVIL).to_string())
}

/// A page of a trace in which every text is hostile, twice, with a hostile title.
fn page() -> String {
    let traces = [(); 2].map(|()| (EVIL.to_owned(), text(&records())));
    html::page(&traces, Path::new("..")).expect("they are traces")
}

/// A browser that sees markup sees elements; this sees those that begin in the text of a page.
fn elements(page: &str) -> usize {
    page.matches('<').count()
}

#[test]
fn a_hostile_page_has_no_element_more_than_a_peaceful_one() {
    let peaceful = html::page(&[], Path::new("..")).expect("nothing is wrong with nothing");
    assert_eq!(elements(&page()), elements(&peaceful));
}

#[test]
fn the_viewer_cannot_make_markup_of_text_and_its_policy_names_its_script() {
    let viewer = include_str!("../src/viewer.html");
    for way in [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "eval(",
        "Function(",
        "createContextualFragment",
        "srcdoc",
        "setTimeout('",
        "unsafe-",
    ] {
        assert!(!viewer.contains(way), "{way}");
    }
    let page = page();
    for part in [
        "default-src 'none'",
        "script-src 'sha256-",
        "style-src 'sha256-",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn lints_and_the_export_take_hostile_values_too() {
    let trace = Trace::parse(&text(&records())).expect("a trace");
    let _ = lint::all(&trace);
    let exported: Value = serde_json::from_str(&chrome::export(&trace)).expect("it is JSON");
    assert!(
        exported["traceEvents"]
            .as_array()
            .is_some_and(|events| events.len() > 20)
    );
}

/// A number that is none, in each place that takes one: refused, in one line that says where.
#[test]
fn numbers_that_are_none_or_out_of_bounds_are_refused_by_line() {
    let mut tried = 0;
    for (at, record) in records().iter().enumerate() {
        for field in [
            "task", "fd", "timer", "n", "errno", "keys", "queued", "took", "timeout", "raw", "t",
            "ready",
        ] {
            if record.get(field).is_none() {
                continue;
            }
            let mut worst = vec![json!(EVIL), json!(-1.5), json!({"evil": 1})];
            if ["task", "fd", "timer"].contains(&field) {
                worst.extend([json!(u32::MAX), json!(u64::MAX), json!(1_000_000)]);
            }
            for value in worst {
                let mut all = records();
                all[at][field] = value;
                let bad = html::page(&[("a title".into(), text(&all))], Path::new(".."));
                let bad = bad.expect_err(field).to_string();
                let place = format!("a title: line {}: ", at + 2);
                assert!(bad.starts_with(&place), "{field}: {bad}");
                tried += 1;
            }
        }
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn a_browser_shows_hostile_values_as_text() {
    let page = page();
    let Some(mut browser) = Browser::open(&[("page.html", &page)], "#compare", 1280) else {
        return;
    };
    browser.until(
        false,
        "document.getElementById('where').textContent.split(' of')[0]",
        "event 1",
    );
    browser.value(
        false,
        "window.wrong = []; addEventListener('error', event => wrong.push(event.message)); \
         addEventListener('securitypolicyviolation', event => wrong.push(event.violatedDirective))",
    );
    let events = records().len() - 1;
    for key in ["", "t", "l", "p", "p", "c", "?", "0", "n", "w"] {
        if !key.is_empty() {
            browser.press(key);
        }
        browser.press("Home");
        for _ in 0..events {
            browser.press("ArrowRight");
            browser.press("w");
        }
    }
    browser.press("c");
    browser.drawn(false);
    let found = "JSON.stringify([document.title, document.body.querySelectorAll('script').length, \
                 document.querySelectorAll('img, form, a, base, [onerror], [http-equiv=refresh]').length, \
                 wrong.map(String).filter(text => !text.includes('ResizeObserver')), \
                 document.body.textContent.includes('<img src=x onerror'), location.protocol])";
    let expected = json!(["See the loop turn", 2, 0, [], true, "file:"]).to_string();
    browser.until(false, found, &expected);
}

/// Were there a hole, this is what stands behind it. (A refresh is all that no policy can forbid; what
/// keeps it out is that there is no hole.)
#[test]
fn the_policy_stops_what_would_have_become_markup() {
    let refresh = r#"<meta http-equiv="refresh" content="0;url=about:blank">"#;
    let evil = EVIL.replace(refresh, "");
    let page = page().replace("</body>", &format!("{evil}</body>"));
    let Some(mut browser) = Browser::open(&[("page.html", &page)], "", 1280) else {
        return;
    };
    browser.until(
        false,
        "document.getElementById('where').textContent.split(' of')[0]",
        "event 1",
    );
    browser.drawn(false);
    browser.until(false, "document.title", "See the loop turn");
    let refused = "(() => { try { document.body.innerHTML = '<b>'; return 'made'; } catch (error) { return error.name; } })()";
    browser.until(false, refused, "TypeError");
    let led = "(() => { document.querySelector('form').submit(); return 'asked'; })()";
    browser.until(false, led, "asked");
    browser.drawn(false);
    browser.until(false, "location.protocol", "file:");
}

#[test]
fn the_command_names_a_bad_file_and_what_it_leaves_out_and_moves_no_cursor() {
    let folder = env::temp_dir().join(format!("trace-hostile-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let run = |what: &str, name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).expect("it can be written");
        let output = Command::new(env!("CARGO_BIN_EXE_trace"))
            .arg(what)
            .arg(&file)
            .output()
            .expect("it was built");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("text"))
    };
    for what in ["html", "lint", "chrome"] {
        let (status, said) = run(what, "bad.trace", "no trace\n");
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("bad.trace: line 1"), "{said}");
    }
    let header = r#"{"trace":"reactor","version":1,"backend":"poll","trigger":"level"}"#;
    let secret = format!("{header}\n{{\"t\":1,\"at\":\"/etc/hostname:1\",\"e\":\"notify\"}}\n");
    let (status, said) = run("html", "secret.trace", &secret);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("left out \"/etc/hostname\""), "{said}");
    let cursor = format!(
        "{header}\n{{\"t\":1,\"e\":\"syscall\",\"fd\":0,\"call\":\"\\u001b[2J\",\"result\":\"error\",\"errno\":9}}\n"
    );
    let (status, said) = run("lint", "cursor.trace", &cursor);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("EBADF") && !said.contains('\u{1b}'),
        "{said:?}"
    );
    // Nor does a file's name, nor what stands in it where something else is expected.
    let word = header.replace("\"backend\"", "\"back\\u001b[2J\\nend\"");
    for what in ["html", "lint", "chrome"] {
        let (status, said) = run(what, "line\n\u{1b}[2J\u{202e}.trace", &word);
        assert_eq!((status, said.lines().count()), (Some(2), 1), "{said:?}");
        let moves = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        assert!(said.contains("[2J") && !said.contains(moves), "{said:?}");
    }
    fs::remove_dir_all(folder).expect("ours");
}
