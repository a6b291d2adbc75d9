//! The page in a real browser, without a network: it loads, steps, predicts and compares. Skipped
//! where there is no Chromium.

mod support;

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use selectors_core::Backend;
use support::record;
use trace::html;

/// Presses keys as a reader would, and leaves what it saw in the page, one line each.
const READER: &str = r#"<script>
const seen = [];
onerror = message => { seen.push('error ' + message); };
const press = key => document.dispatchEvent(new KeyboardEvent('keydown', { key }));
const see = name => seen.push(name + ': ' + $('now').textContent);
see('start');
press('ArrowRight'); see('step');
press('End'); see('end');
press('Home'); see('home');
press('w'); see('wake');
press('Home'); press('p');
seen.push('answers: ' + document.querySelectorAll('#quiz button').length);
press('ArrowRight'); see('refused');
press(String(question.options.indexOf(question.right) + 1)); see('guess');
seen.push('score: ' + ui.right + '/' + ui.asked);
press('p'); press('c');
seen.push('charts: ' + document.querySelectorAll('canvas').length);
seen.push('compare: ' + $('versus').textContent.includes('poll'));
seen.push('label: ' + document.querySelector('canvas').getAttribute('aria-label'));
const out = document.createElement('pre'); out.id = 'seen'; out.textContent = 'SEEN\n' + seen.join('\n') + '\nEND\n'; document.body.append(out);
</script></body>"#;

#[test]
fn a_reader_can_step_predict_and_compare() {
    let Some(chromium) = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok())
    else {
        eprintln!("skipped: no Chromium here");
        return;
    };
    let program = || async {
        let task = executor::spawn(executor::yield_now());
        task.await.expect("it does not panic");
    };
    let traces = [Backend::Select, Backend::Poll]
        .map(|backend| (backend.name().to_owned(), record(backend, program())));
    let page = html::page(&traces, Path::new("..")).expect("our own traces");
    let page = page.replace("</body>", READER);
    let folder = env::temp_dir().join(format!("reactor-page-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("page.html");
    fs::write(&file, page).expect("it can be written");
    let output = Command::new(chromium)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", folder.join("user").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("it ran a moment ago");
    let dom = String::from_utf8_lossy(&output.stdout);
    let seen = dom.split("SEEN\n").last().unwrap_or_default();
    let seen: Vec<&str> = seen.lines().take_while(|line| *line != "END").collect();
    let expected = [
        "start: The executor polls task 0: it is the future of block_on, and begins.",
        "step: Task 0 spawned task 1: a new future, which is polled when the loop comes to it, not \
         now.",
        "end: Task 0 is over; its future is dropped.",
        "home: The executor polls task 0: it is the future of block_on, and begins.",
        "wake: Task 1 called the waker of task 0; that puts it on the ready queue, no more.",
        "answers: 4",
        "refused: Predict first: press 1 to 4, or p to leave.",
        "guess: Right. Task 0 spawned task 1: a new future, which is polled when the loop comes to \
         it, not now.",
        "score: 1/1",
        "charts: 2",
        "compare: true",
    ];
    assert_eq!(seen.get(..expected.len()), Some(&expected[..]), "{seen:#?}");
    assert!(
        seen.last().is_some_and(|label| label.contains("2 tasks")),
        "{seen:#?}"
    );
    fs::remove_dir_all(folder).expect("ours");
}
