//! Export to the trace format that Perfetto and Chrome read: polls and sleeps as bars, wakes as
//! arrows, the depth of the ready queue as a counter.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{Line, Step, Trace};

/// Tracks of those that are no task.
const KERNEL: u32 = 1;
const REACTOR: u32 = 2;
/// The track of task 0.
const TASKS: u32 = 10;

/// The trace as one JSON text.
#[must_use]
pub fn export(trace: &Trace) -> String {
    let mut out = vec![name(KERNEL, "kernel"), name(REACTOR, "reactor")];
    let mut named = HashMap::new();
    let mut running = None;
    for (number, line) in trace.lines.iter().enumerate() {
        if let Step::PollBegin { task } = line.step {
            running = Some(task);
            named.entry(task).or_insert_with(|| {
                out.push(name(TASKS + task, &format!("task {task}")));
            });
        }
        let track = running.map_or(REACTOR, |task| TASKS + task);
        event(&mut out, line, number, track);
        if let Step::PollEnd { .. } = line.step {
            running = None;
        }
    }
    json!({ "traceEvents": out }).to_string()
}

fn event(out: &mut Vec<Value>, line: &Line, number: usize, track: u32) {
    let ts = line.t as f64 / 1000.0;
    let mut put = |track: u32, phase: &str, name: &str, args: Value| {
        let mut event = json!({"pid": 1, "tid": track, "ts": ts, "ph": phase, "name": name});
        event["args"] = args;
        match phase {
            "i" => event["s"] = json!("t"),
            "s" | "f" => event["id"] = json!(number),
            _ => {}
        }
        out.push(event);
    };
    let at = json!({ "at": line.at });
    match &line.step {
        Step::PollBegin { task } => put(TASKS + task, "B", "poll", at),
        Step::PollEnd { task, .. } => put(TASKS + task, "E", "poll", at),
        Step::SelectBegin { .. } => put(KERNEL, "B", "select", at),
        Step::SelectEnd { ready } => put(KERNEL, "E", "select", json!({ "ready": ready })),
        Step::Enqueue { queued, .. } => put(REACTOR, "C", "ready queue", json!({"tasks": queued})),
        Step::Syscall { call, result, .. } => put(track, "i", &format!("{call}: {result}"), at),
        Step::WakerStored { .. } => put(track, "i", "waker stored", at),
        Step::Wake { task, by, .. } => {
            put(track, "i", &format!("wake task {task} by {by}"), at);
        }
        Step::Spawn { task, .. } => put(track, "i", &format!("spawn task {task}"), at),
        Step::Done { task } => put(TASKS + task, "i", "done", at),
        Step::DropPending { task } => put(TASKS + task, "i", "dropped while pending", at),
        Step::Lost { task } => put(TASKS + task, "i", "nobody can wake it", at),
        Step::Register { .. } => put(track, "i", "register", at),
        Step::Modify { .. } => put(track, "i", "modify", at),
        Step::Unregister { .. } => put(track, "i", "unregister", at),
        Step::Notify => put(REACTOR, "i", "notify", at),
        Step::TimerSet { .. } => put(track, "i", "timer set", at),
        Step::TimerFired { .. } => put(REACTOR, "i", "timer fired", at),
        Step::Recorder { took } => put(REACTOR, "i", "recorder", json!({ "took_ns": took })),
    }
}

fn name(track: u32, name: &str) -> Value {
    json!({"pid": 1, "tid": track, "ph": "M", "name": "thread_name", "args": {"name": name}})
}
