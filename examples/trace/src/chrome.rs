//! Export to the trace format that Perfetto and Chrome read: polls and sleeps as bars, wakes as
//! arrows to the polls that they lead to, the depth of the ready queue as a counter.
//!
//! The format is the JSON of the [Trace Event Format], version 1: `B` and `E` are the ends of a
//! bar, `s` and `f` those of an arrow, `i` is an instant, `C` a counter, `M` a name.
//!
//! [Trace Event Format]: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::{Line, Step, Trace};

/// Tracks of those that are no task.
const KERNEL: u32 = 1;
const REACTOR: u32 = 2;
const THREADS: u32 = 3;
/// The track of task 0.
const TASKS: u32 = 10;

/// The trace as one JSON text.
#[must_use]
pub fn export(trace: &Trace) -> String {
    let mut export = Export {
        out: Vec::new(),
        running: None,
        sleeping: false,
        queued: 0,
        wakes: HashMap::new(),
        tasks: BTreeSet::new(),
    };
    for (number, line) in trace.lines.iter().enumerate() {
        export.event(line, number);
    }
    export.close(trace.lines.last().map_or(0, |line| line.t));
    let header = &trace.header;
    json!({
        "traceEvents": export.out,
        "displayTimeUnit": "ns",
        "otherData": {
            "backend": header.backend,
            "trigger": header.trigger,
            "record_ns": header.overhead.record_ns,
            "write_ns": header.overhead.write_ns,
        },
    })
    .to_string()
}

struct Export {
    out: Vec<Value>,
    running: Option<u32>,
    sleeping: bool,
    /// In the ready queue now.
    queued: u32,
    /// By task: the number of the wake that its next poll is due to.
    wakes: HashMap<u32, usize>,
    /// Those that have a track.
    tasks: BTreeSet<u32>,
}

impl Export {
    fn put(&mut self, t: u64, track: u32, phase: &str, name: &str, args: Value) {
        let ts = t as f64 / 1000.0;
        let mut event = json!({"pid": 1, "tid": track, "ts": ts, "ph": phase, "name": name});
        event["args"] = args;
        if phase == "i" {
            event["s"] = json!("t");
        }
        self.out.push(event);
    }

    /// One end of an arrow from a wake to the poll that it led to.
    fn arrow(&mut self, t: u64, track: u32, phase: &str, id: usize) {
        let ts = t as f64 / 1000.0;
        let mut event = json!({"pid": 1, "tid": track, "ts": ts, "ph": phase, "id": id});
        event["name"] = json!("wake");
        event["cat"] = json!("wake");
        if phase == "f" {
            // It ends at the bar around it.
            event["bp"] = json!("e");
        }
        self.out.push(event);
    }

    fn task(&mut self, task: u32) -> u32 {
        if self.tasks.insert(task) {
            let name = name(TASKS + task, &format!("task {task}"));
            self.out.push(name);
        }
        TASKS + task
    }

    fn event(&mut self, line: &Line, number: usize) {
        let t = line.t;
        let track = self.running.map_or(REACTOR, |task| TASKS + task);
        let mut at = json!({ "at": line.at });
        if !line.step.from().is_empty() {
            at["from"] = json!(line.step.from());
        }
        match &line.step {
            Step::PollBegin { task } => {
                let track = self.task(*task);
                self.put(t, track, "B", "poll", at);
                if let Some(wake) = self.wakes.remove(task) {
                    self.arrow(t, track, "f", wake);
                }
                self.running = Some(*task);
                self.count(t, self.queued.saturating_sub(1));
            }
            Step::PollEnd { task, .. } => {
                self.put(t, TASKS + task, "E", "poll", at);
                self.running = None;
            }
            Step::SelectBegin { .. } => {
                self.put(t, KERNEL, "B", "select", at);
                self.sleeping = true;
            }
            Step::SelectEnd { ready } => {
                self.put(t, KERNEL, "E", "select", json!({ "ready": ready }));
                self.sleeping = false;
            }
            Step::Enqueue { queued, .. } => self.count(t, *queued),
            Step::Wake {
                task,
                by,
                coalesced,
            } => {
                let track = if by == "thread" { THREADS } else { track };
                let name = format!("wake task {task} by {by}");
                self.put(t, track, "i", &name, at);
                if !coalesced {
                    self.arrow(t, track, "s", number);
                    self.wakes.insert(*task, number);
                }
            }
            Step::Syscall { call, result, .. } => {
                self.put(t, track, "i", &format!("{call}: {result}"), at);
            }
            Step::WakerStored { fd, dir, .. } => {
                self.put(t, track, "i", &format!("waker stored: fd {fd} {dir}"), at);
            }
            Step::Spawn { task, .. } => self.put(t, track, "i", &format!("spawn task {task}"), at),
            Step::Named { task, name: called } => {
                let track = self.task(*task);
                self.out
                    .push(name(track, &format!("task {task} {called:?}")));
            }
            Step::Done { task } => self.about(t, *task, "done", at),
            Step::DropPending { task } => self.about(t, *task, "dropped while pending", at),
            Step::Lost { task } => self.about(t, *task, "nobody can wake it", at),
            Step::Register { fd, .. } => self.put(t, track, "i", &format!("register fd {fd}"), at),
            Step::Modify { fd, .. } => self.put(t, track, "i", &format!("modify fd {fd}"), at),
            Step::Unregister { fd } => {
                self.put(t, track, "i", &format!("unregister fd {fd}"), at);
            }
            Step::Notify => self.put(t, THREADS, "i", "notify", at),
            Step::TimerSet { .. } => self.put(t, track, "i", "timer set", at),
            Step::TimerFired { .. } => self.put(t, REACTOR, "i", "timer fired", at),
            Step::TimerAlone { .. } => {
                self.put(t, track, "i", "only the timer will go on", at);
            }
            Step::Recorder { took, .. } => {
                self.put(t, REACTOR, "i", "recorder", json!({ "took_ns": took }));
            }
        }
    }

    fn about(&mut self, t: u64, task: u32, what: &str, at: Value) {
        let track = self.task(task);
        self.put(t, track, "i", what, at);
    }

    fn count(&mut self, t: u64, queued: u32) {
        self.queued = queued;
        self.put(t, REACTOR, "C", "ready queue", json!({ "tasks": queued }));
    }

    /// Ends what the end of the trace has cut off, and names the tracks.
    fn close(&mut self, t: u64) {
        if let Some(task) = self.running {
            self.put(t, TASKS + task, "E", "poll", json!({}));
        }
        if self.sleeping {
            self.put(t, KERNEL, "E", "select", json!({}));
        }
        for (track, lane) in [
            (KERNEL, "kernel"),
            (REACTOR, "reactor"),
            (THREADS, "other threads"),
        ] {
            self.out.push(name(track, lane));
        }
    }
}

fn name(track: u32, name: &str) -> Value {
    json!({"pid": 1, "tid": track, "ph": "M", "name": "thread_name", "args": {"name": name}})
}
