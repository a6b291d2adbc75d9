//! The page in a real browser, without a network: it loads, steps, predicts and compares. Skipped
//! where there is no Chromium.

mod support;

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use selectors_core::Backend;
use support::browser::chromium;
use support::record;
use trace::browser::ALONE;
use trace::{Trace, html, lint};

/// Presses keys as a reader would, and leaves what it saw in the page, one line each.
const READER: &str = r#"
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
press('c'); press('s'); seen.push('other trace: ' + $('about').textContent.split(':')[0]); press('s');
press('t'); seen.push('by time: ' + $('clock').getAttribute('aria-pressed')); press('t');
press('l'); seen.push('lens off: ' + $('hits').hidden); press('l');
press('?'); seen.push('help: ' + !$('keys-help').hidden);
const unnamed = [...document.querySelectorAll('button, section, aside, header, canvas')].filter(e => !e.hidden && !e.textContent.trim() && !e.getAttribute('aria-label'));
seen.push('without a name: ' + unnamed.map(e => e.id || e.tagName).join());
const canvas = document.querySelector('canvas');
const touch = (type, x, id) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: id, clientX: x, clientY: 40 }));
canvas.setPointerCapture = () => {};
let before = ui.zoom; touch('pointerdown', 100, 1); touch('pointerdown', 200, 2); touch('pointermove', 300, 2); touch('pointerup', 300, 2); touch('pointerup', 100, 1);
seen.push('two fingers zoom by: ' + ui.zoom / before);
const at = ui.at; touch('pointerdown', 500, 1); touch('pointermove', 420, 1); touch('pointerup', 420, 1); seen.push('dragged, and the cursor stays: ' + (ui.at === at && ui.left > 0));
seen.push('overflows: ' + (document.documentElement.scrollWidth > innerWidth));
seen.push('label: ' + document.querySelector('canvas').getAttribute('aria-label'));
"#;

/// Draws all of a long trace, by steps and by time, and says how many shapes that took and how
/// many fit: in each lane a dot in two pixels and a bar in one.
const SURVEYOR: &str = r#"
const canvas = document.querySelector('canvas'), lanes = Math.floor(canvas.clientHeight / ROW);
const settled = () => canvas.getContext('2d').getImageData(0, 0, 1, 1);
const time = (name, act) => { act(); settled(); const begun = performance.now(); act(); settled(); seen.push(name + ': ' + (performance.now() - begun).toFixed(1) + ' ms, ' + shapes + ' shapes'); return shapes; };
seen.push('events: ' + cur().ev.length);
go(cur().ev.length >> 1);
time('near', draw); time('step', () => go(ui.at + 1));
fit(); const far = time('all of it', draw);
ui.clock = true; const clock = time('all of it by time', draw);
const bound = lanes * canvas.clientWidth * 1.5;
seen.push('bounded: ' + (far < bound && clock < bound && far < cur().ev.length / 4));
"#;

/// Goes beyond the end of the shorter one of two traces, and asks for everything there.
const BEYOND: &str = r#"
press('c'); press('s'); press('End');
seen.push('beyond: ' + (ui.at >= tracks[0].ev.length)); press('s'); press('w');
seen.push('wake: ' + $('now').textContent);
press('p'); seen.push('quiz: ' + $('quiz').textContent); press('p');
for (const key of ['n', 't', 't', 'l', '+', '-', '0']) press(key);
press('ArrowLeft'); seen.push('here: ' + $('versus').querySelectorAll('td')[1].textContent);
"#;

/// Goes to what the lens has found.
const LENS: &str = r#"
press('n');
seen.push('where: ' + $('where').textContent.split(' of')[0], $('hits').querySelector('button').textContent.split(':')[0], $('now').textContent.split(':')[0]);
"#;

/// Steps through a trace without times, and asks for the axis of time all the same.
const GOLDEN: &str = r#"
const where = () => seen.push('where: ' + $('where').textContent);
press('ArrowRight'); where();
press('t'); press('ArrowRight'); const left = view(cur(), 1000).left; seen.push('by time: ' + (shapes > 0 && Number.isFinite(left))); where();
seen.push('about: ' + ($('about').textContent.match(/A golden trace/) || ['NaN'])[0]);
"#;

/// Compares, goes to where the two first differ, and reads what each says there.
const DIFFER: &str = r#"
press('c');
$('versus').querySelector('button').click();
seen.push(...[...$('versus').querySelectorAll('tbody tr:first-child td')].slice(1).map(cell => cell.textContent));
"#;

/// What every script finds: a list of what it has `seen`, errors among it, and how a key is pressed.
const BEFORE: &str = "
const seen = [];
onerror = message => { seen.push('error ' + message); };
const press = key => document.dispatchEvent(new KeyboardEvent('keydown', { key }));
";

/// Puts the list into the page, where a dump of it is read.
const AFTER: &str = r"
const out = document.createElement('pre'); out.id = 'seen'; out.textContent = 'SEEN\n' + seen.join('\n') + '\nEND\n'; document.body.append(out);
";

/// Opens `page` with `script` at its end; the answer is what the script has seen, unless there is
/// no Chromium here.
fn open(name: &str, page: &str, script: &str) -> Option<Vec<String>> {
    let chromium = chromium()?;
    let folder = env::temp_dir().join(format!("reactor-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("page.html");
    let script = format!("<script>{BEFORE}{script}{AFTER}</script></body>");
    // The page lets no script run but its own; here, that of the test may, too.
    let (before, rest) = page.split_once("script-src 'sha256-").expect("its policy");
    let (_, rest) = rest.split_once('\'').expect("its end");
    let page = format!("{before}script-src 'unsafe-inline'{rest}");
    fs::write(&file, page.replace("</body>", &script)).expect("it can be written");
    let output = Command::new(chromium)
        .args(ALONE)
        .args(["--window-size=1280,800", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("user").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("it ran a moment ago");
    fs::remove_dir_all(folder).expect("ours");
    let dom = String::from_utf8_lossy(&output.stdout);
    let seen = dom.split("SEEN\n").last().unwrap_or_default();
    let seen = seen.lines().take_while(|line| *line != "END");
    Some(seen.map(str::to_owned).collect())
}

/// Tasks that hand over to each other, so often that there are some 100 000 events.
async fn long() {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            executor::spawn(async {
                for _ in 0..1_250 {
                    executor::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("it does not panic");
    }
}

#[test]
fn the_page_refers_to_nothing_outside() {
    let nothing = record(Backend::Poll, async {});
    let page = html::page(&[("nothing".into(), nothing)], Path::new("..")).expect("our own");
    let outside = [
        "://", "src=", "href=", "@import", "url(", "fetch(", "import(",
    ];
    let known = "<iframe> with this file as its source";
    assert!(
        page.contains(known),
        "the page is not as this test knows it"
    );
    for word in outside {
        assert!(!page.contains(word), "the page says {word:?}");
    }
    let policy = "default-src 'none'";
    assert!(page.contains(policy), "a browser is not told to keep to it");
}

#[test]
fn a_long_trace_is_drawn_with_as_many_shapes_as_fit() {
    let traces = [("long".to_owned(), record(Backend::Poll, long()))];
    let page = html::page(&traces, Path::new("..")).expect("our own trace");
    let Some(seen) = open("long", &page, SURVEYOR) else {
        return;
    };
    // Times are for reading; on a busy machine they say nothing.
    println!("{}", seen.join("\n"));
    let events = seen.first().and_then(|line| line.strip_prefix("events: "));
    let events: Option<u32> = events.and_then(|number| number.parse().ok());
    assert!(events.is_some_and(|events| events >= 100_000), "{seen:#?}");
    assert_eq!(
        seen.last().map(String::as_str),
        Some("bounded: true"),
        "{seen:#?}"
    );
}

#[test]
fn a_reader_can_step_predict_and_compare() {
    let program = || async {
        let task = executor::spawn(executor::yield_now());
        task.await.expect("it does not panic");
    };
    let traces = [Backend::Select, Backend::Poll]
        .map(|backend| (backend.name().to_owned(), record(backend, program())));
    let page = html::page(&traces, Path::new("..")).expect("our own traces");
    let Some(seen) = open("page", &page, READER) else {
        return;
    };
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
        "other trace: poll",
        "by time: true",
        "lens off: true",
        "help: true",
        "without a name: ",
        "two fingers zoom by: 2",
        "dragged, and the cursor stays: true",
        "overflows: false",
    ];
    let told: Vec<&str> = seen
        .iter()
        .map(String::as_str)
        .take(expected.len())
        .collect();
    assert_eq!(told, expected, "{seen:#?}");
    assert!(
        seen.last().is_some_and(|label| label.contains("2 tasks")),
        "{seen:#?}"
    );
}

#[test]
fn beyond_the_end_of_the_shorter_trace_every_key_still_works() {
    let program = |yields: u32| async move {
        for _ in 0..yields {
            executor::yield_now().await;
        }
    };
    let traces = [("short", 1), ("long", 5)]
        .map(|(name, yields)| (name.to_owned(), record(Backend::Poll, program(yields))));
    let page = html::page(&traces, Path::new("..")).expect("our own traces");
    let Some(seen) = open("beyond", &page, BEYOND) else {
        return;
    };
    let expected = [
        "beyond: true",
        "wake: Task 0 is not woken again in this trace.",
        "quiz: PredictThat was the last event.",
        "here: –",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn the_lens_and_the_command_count_events_in_the_same_way() {
    let text = r#"{"trace":"reactor","version":1,"backend":"poll","trigger":"level"}
{"t":1,"e":"poll_begin","task":0}
{"t":2,"e":"recorder","took":5}
{"t":3,"e":"poll_end","task":0,"ready":false}
{"t":4,"e":"lost","task":0}
"#;
    let hits = lint::all(&Trace::parse(text).expect("a trace"));
    let words: Vec<String> = hits.iter().map(ToString::to_string).collect();
    assert!(words[0].starts_with("lost-task at event 3: "), "{words:?}");
    let page = html::page(&[("lost".into(), text.into())], Path::new("..")).expect("our own");
    let Some(seen) = open("lens", &page, LENS) else {
        return;
    };
    let expected = [
        "where: event 3",
        "lost-task at event 3",
        "Nobody can wake task 0",
    ];
    assert_eq!(seen, expected);
}

/// Those of the ladder are published, for readers on systems that the steps do not run on.
#[test]
fn a_golden_trace_can_be_stepped_through() {
    let traces = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traces");
    let text = fs::read_to_string(traces.join("s04_select.trace")).expect("it is there");
    let page = html::page(&[("s04".into(), text)], Path::new("..")).expect("our own");
    for file in fs::read_dir(traces).expect("the golden traces") {
        let file = file.expect("a trace").path();
        if file.extension().is_some_and(|kind| kind == "trace") {
            let text = fs::read_to_string(&file).expect("a trace is text");
            let trace = Trace::parse(&text);
            let trace = trace.unwrap_or_else(|bad| panic!("{}: {bad}", file.display()));
            assert_eq!(lint::all(&trace), [], "{}", file.display());
        }
    }
    let Some(seen) = open("golden", &page, GOLDEN) else {
        return;
    };
    let expected = [
        "where: event 2 of 24, without times",
        "by time: true",
        "where: event 3 of 24, without times",
        "about: A golden trace",
    ];
    assert_eq!(seen, expected);
}

/// What chapter 6 shows: backends that differ in what they say of the end alone.
#[test]
fn compared_traces_differ_where_the_kernel_says_something_else() {
    let traces = ["select", "epoll"].map(|backend| {
        let file = format!("../traces/s06_backends.{backend}.trace");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = fs::read_to_string(file).expect("it is in the repository");
        (backend.to_owned(), text)
    });
    let page = html::page(&traces, Path::new("..")).expect("our own");
    let Some(seen) = open("differ", &page, DIFFER) else {
        return;
    };
    let expected = [
        "select: fd 1 readable",
        "select: fd 1 readable, closed by the peer",
    ];
    assert_eq!(seen, expected);
}
