//! A headless Chromium that is pressed, clicked and touched as a reader would: real input, not
//! events that a script makes up.
//!
//! It speaks the DevTools protocol over a pair of pipes: one JSON object, then a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::{Value, json};
use trace::browser::ALONE;

/// A guard against hanging, not a measure of speed.
const GUARD: Duration = Duration::from_secs(120);

/// The name of the browser here; says so if there is none.
pub(crate) fn chromium() -> Option<&'static str> {
    let found = trace::browser::chromium();
    if found.is_none() {
        eprintln!("skipped: no Chromium here");
    }
    found
}

/// One page, open.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    calls: u64,
    /// Of the page, once there is one.
    session: Option<String>,
    /// Its files and the browser's own.
    folder: PathBuf,
}

impl Browser {
    /// Opens the first of these files, pairs of a name and a text, at `place` (`""`, `"#compare"`).
    /// `None` if there is no Chromium here.
    pub(crate) fn open(files: &[(&str, &str)], place: &str, width: u32) -> Option<Self> {
        let chromium = chromium()?;
        let folder = env::temp_dir().join(format!(
            "reactor-browser-{}-{:?}",
            std::process::id(),
            thread::current().id()
        ));
        fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("it can be written");
        }
        // The shell gives it our pipes as the numbers that it expects.
        let mut child = Command::new("sh")
            .args([
                "-c",
                r#"exec "$0" "$@" 3<&0 4>&1 1>/dev/null 2>&1"#,
                chromium,
            ])
            .args(ALONE)
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", folder.join("user").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it ran a moment ago");
        let to = child.stdin.take().expect("piped");
        let from = BufReader::new(child.stdout.take().expect("piped"));
        let mut browser = Browser {
            child,
            to,
            from,
            calls: 0,
            session: None,
            folder,
        };
        let address = format!("file://{}{place}", browser.path(files[0].0).display());
        browser.attach(&address, width);
        Some(browser)
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.folder).join(name)
    }

    fn attach(&mut self, address: &str, width: u32) {
        let made = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", target);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        let screen =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", screen);
        self.call(
            "Emulation.setTouchEmulationEnabled",
            json!({ "enabled": true }),
        );
        self.call("Page.enable", json!({}));
        self.call("Page.navigate", json!({ "url": address }));
    }

    /// Asks for something that the browser must not refuse.
    fn call(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Asks for something and waits for the answer.
    fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser listens");
        loop {
            let mut answer = Vec::new();
            self.from.read_until(0, &mut answer).expect("it answers");
            assert_eq!(answer.pop(), Some(0), "the browser is gone: {method}");
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            // Anything else is news, which nobody asked for.
            if answer["id"] == self.calls {
                return match &answer["error"] {
                    Value::Null => Ok(answer["result"].clone()),
                    error => Err(error.clone()),
                };
            }
        }
    }

    /// The value of an expression in the page, or in the frame inside it; null while there is none.
    pub(crate) fn value(&mut self, in_frame: bool, expression: &str) -> Value {
        // A page that is just being exchanged for the next one refuses.
        self.evaluate(in_frame, expression).unwrap_or_default()
    }

    fn evaluate(&mut self, in_frame: bool, expression: &str) -> Result<Value, Value> {
        let mut what = json!({
            "expression": expression,
            "returnByValue": true,
            "awaitPromise": true,
        });
        if in_frame {
            let tree = self.ask("Page.getFrameTree", json!({}))?;
            let frame = &tree["frameTree"]["childFrames"][0]["frame"]["id"];
            // A world of its own: it sees the document, and none of the page's variables.
            let world = self.ask("Page.createIsolatedWorld", json!({ "frameId": frame }))?;
            what["contextId"] = world["executionContextId"].clone();
        }
        let answer = self.ask("Runtime.evaluate", what)?;
        Ok(answer["result"]["value"].clone())
    }

    /// Waits until an expression has this value.
    pub(crate) fn until(&mut self, in_frame: bool, expression: &str, wanted: &str) {
        let begun = Instant::now();
        loop {
            let found = self.value(in_frame, expression);
            if found == wanted {
                return;
            }
            assert!(
                begun.elapsed() < GUARD,
                "{expression}: {found}, not {wanted}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page has been drawn: what is not on the screen cannot be touched.
    pub(crate) fn drawn(&mut self, in_frame: bool) {
        let twice = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))";
        self.value(in_frame, twice);
    }

    /// Presses a key and lets go, wherever the focus is.
    pub(crate) fn press(&mut self, key: &str) {
        let text = if key.len() == 1 { key } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "text": text });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Clicks with the mouse.
    pub(crate) fn click(&mut self, (x, y): (f64, f64)) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Taps until the expression has another value. A browser that is short of time takes a slow
    /// tap for none.
    pub(crate) fn tap_until_moved(&mut self, at: (f64, f64), in_frame: bool, expression: &str) {
        let before = self.value(in_frame, expression);
        let begun = Instant::now();
        while self.value(in_frame, expression) == before {
            assert!(begun.elapsed() < GUARD, "{expression} stays {before}");
            self.tap(at);
            let tapped = Instant::now();
            while self.value(in_frame, expression) == before && tapped.elapsed().as_secs() < 2 {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Touches the page with one finger and lifts it.
    fn tap(&mut self, (x, y): (f64, f64)) {
        let down = json!({ "type": "touchStart", "touchPoints": [{ "x": x, "y": y }] });
        self.call("Input.dispatchTouchEvent", down);
        let up = json!({ "type": "touchEnd", "touchPoints": [] });
        self.call("Input.dispatchTouchEvent", up);
    }

    /// The middle of an element, as the page around it counts.
    pub(crate) fn middle(&mut self, in_frame: bool, selector: &str) -> (f64, f64) {
        let box_of = |selector: &str| {
            format!(
                "(b => [b.x, b.y, b.width, b.height])(document.querySelector('{selector}').getBoundingClientRect())"
            )
        };
        let number = |value: &Value, at: usize| value[at].as_f64().expect("a number");
        let inner = self.value(in_frame, &box_of(selector));
        let (mut x, mut y) = (number(&inner, 0), number(&inner, 1));
        if in_frame {
            let frame = self.value(false, &box_of("iframe"));
            x += number(&frame, 0);
            y += number(&frame, 1);
        }
        (x + number(&inner, 2) / 2.0, y + number(&inner, 3) / 2.0)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its pipes; whatever it says meanwhile nobody reads.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
