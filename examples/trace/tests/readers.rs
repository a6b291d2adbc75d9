//! Readers at a real browser, without a network: inside another page as in the book, by keyboard,
//! by mouse, by finger, and in comparison from the address on. Skipped where there is no Chromium.

use std::path::Path;

use selectors_core::Backend;
use trace::html;

mod support;
use support::browser::Browser;
use support::record;

/// Where the reader is.
const WHERE: &str = "document.getElementById('where').textContent.split(' of')[0]";
/// A page around the timeline, as a chapter is.
const CHAPTER: &str = r#"<!doctype html><body style="margin: 40px"><h1>Chapter</h1><iframe
    src="page.html" style="width: 100%; height: 34rem; border: 1px solid"></iframe>
    <p style="height: 2000px">The text goes on.</p></body>"#;

/// A page with the same small program on two backends.
fn page() -> String {
    let program = || async {
        let task = executor::spawn(executor::yield_now());
        task.await.expect("it does not panic");
    };
    let traces = [Backend::Select, Backend::Poll]
        .map(|backend| (backend.name().to_owned(), record(backend, program())));
    html::page(&traces, Path::new("..")).expect("our own traces")
}

#[test]
fn a_frame_in_a_chapter_is_stepped_by_keys_and_buttons() {
    let files = [("chapter.html", CHAPTER), ("page.html", &page())];
    let Some(mut browser) = Browser::open(&files, "", 900) else {
        return;
    };
    browser.until(true, WHERE, "event 1");
    browser.drawn(true);
    // The keys are the chapter's until the reader has clicked into the frame.
    let now = browser.middle(true, "#now");
    browser.click(now);
    browser.press("ArrowRight");
    browser.until(true, WHERE, "event 2");
    browser.press("ArrowRight");
    browser.until(true, WHERE, "event 3");
    browser.press("ArrowLeft");
    browser.until(true, WHERE, "event 2");
    let next = browser.middle(true, "#next");
    browser.click(next);
    browser.until(true, WHERE, "event 3");
    browser.press("End");
    browser.press("Home");
    browser.until(true, WHERE, "event 1");
    // The chapter has not scrolled away under the keys.
    assert_eq!(browser.value(false, "scrollY"), 0);
}

/// A page that passes on the keys that are pressed beside the frame, as the book's do.
#[test]
fn a_chapter_may_turn_its_timeline() {
    let passes =
        "<script>onkeydown = event => frames[0].postMessage({ key: event.key }, '*');</script>";
    let chapter = format!("{CHAPTER}{passes}");
    let files = [("chapter.html", &*chapter), ("page.html", &page())];
    let Some(mut browser) = Browser::open(&files, "", 900) else {
        return;
    };
    browser.until(true, WHERE, "event 1");
    browser.drawn(true);
    for key in ["ArrowRight", "x", "ArrowRight"] {
        browser.press(key);
    }
    browser.until(true, WHERE, "event 3");
    // What is no key is nothing.
    for message in ["null", "{}", "{ key: 3 }", "'End'", "{ key: '__proto__' }"] {
        browser.value(false, &format!("frames[0].postMessage({message}, '*')"));
    }
    browser.press("ArrowRight");
    browser.until(true, WHERE, "event 4");
}

#[test]
fn captions_lead_from_station_to_station() {
    let trace = include_str!("../../traces/s09_await.trace");
    let page = html::guided("s09", trace, Path::new("..")).expect("a golden trace");
    let page = page.expect("step 9 awaits");
    let Some(mut browser) = Browser::open(&[("page.html", &page)], "", 390) else {
        return;
    };
    let station = "document.querySelector('#tour [aria-current]').textContent";
    let said = "document.querySelector('#now b').textContent";
    browser.until(false, station, "1 syscall");
    browser.until(false, said, "1 syscall.");
    for key in ["ArrowDown", "ArrowDown"] {
        browser.press(key);
    }
    browser.until(false, station, "3 waker");
    browser.press("8");
    browser.until(false, said, "5 poll.");
    // The end of the way; one event on, the caption is that of the event.
    browser.press("ArrowDown");
    browser.until(false, said, "5 poll.");
    browser.press("ArrowUp");
    browser.until(false, station, "4 ready queue");
    browser.press("Home");
    browser.until(
        false,
        "String(document.querySelector('#tour [aria-current]'))",
        "null",
    );
    let fits = "String(document.documentElement.scrollWidth <= innerWidth)";
    browser.until(false, fits, "true");
}

#[test]
fn a_finger_steps_by_buttons_and_by_the_lanes() {
    for (files, in_frame) in [
        (vec![("page.html", page())], false),
        (
            vec![("chapter.html", CHAPTER.to_owned()), ("page.html", page())],
            true,
        ),
    ] {
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        let Some(mut browser) = Browser::open(&files, "", 600) else {
            return;
        };
        browser.until(in_frame, WHERE, "event 1");
        browser.drawn(in_frame);
        let next = browser.middle(in_frame, "#next");
        browser.tap_until_moved(next, in_frame, WHERE);
        browser.tap_until_moved(next, in_frame, WHERE);
        // A tap in the lanes goes to the event there.
        let lanes = browser.middle(in_frame, "canvas");
        browser.tap_until_moved(lanes, in_frame, WHERE);
    }
}

#[test]
fn an_address_opens_in_comparison_and_keeps_it() {
    let page = page();
    let charts = "String(document.querySelectorAll('canvas').length)";
    for place in ["#compare", "?compare", "#3,compare"] {
        let Some(mut browser) = Browser::open(&[("page.html", &page)], place, 1280) else {
            return;
        };
        browser.until(false, charts, "2");
        let at = if place.contains('3') {
            "event 3"
        } else {
            "event 1"
        };
        browser.until(false, WHERE, at);
        browser.press("ArrowRight");
        // What the address says now is where a reader comes back to.
        let (at, address) = match at {
            "event 3" => ("event 4", "#4,compare"),
            _ => ("event 2", "#2,compare"),
        };
        browser.until(false, "location.hash", address);
        browser.value(false, "location.reload()");
        browser.until(false, WHERE, at);
        browser.until(false, charts, "2");
        browser.press("c");
        browser.until(false, charts, "1");
        browser.until(false, "String(location.hash.includes('compare'))", "false");
    }
}
