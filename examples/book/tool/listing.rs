//! A trace as lines of text, for readers on paper and for those who read aloud.

use std::fmt::Write as _;

use serde_json::Value;

/// The first events of a trace, one a line: who, and what. What was left out is said at the end.
///
/// # Errors
///
/// The line that is not understood.
///
/// ```
/// let trace = r#"{"trace":"reactor","version":1,"backend":"poll","trigger":"level"}
/// {"t":1,"e":"syscall","fd":0,"call":"recv","result":"would_block"}
/// {"t":2,"e":"select_begin","timeout":null,"keys":1}"#;
/// let text = book::listing::listing(trace, 10)?;
/// assert_eq!(text, "program  recv on fd 0: WouldBlock\nkernel   asleep in select, 1 key\n");
/// # Ok::<(), String>(())
/// ```
pub fn listing(trace: &str, limit: usize) -> Result<String, String> {
    let mut out = String::new();
    let (mut running, mut left_out) = (None, 0);
    // The first line is the header.
    let shown = trace
        .lines()
        .skip(1)
        .filter(|line| !line.contains("\"e\":\"recorder\""));
    for (line, place) in shown.zip(0..) {
        let event: Value =
            serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?;
        let Some((who, what)) = words(&event, running) else {
            return Err(format!("an event that has no words: {line}"));
        };
        match event["e"].as_str() {
            Some("poll_begin") => running = event["task"].as_u64(),
            Some("poll_end") => running = None,
            _ => {}
        }
        if place >= limit {
            left_out += 1;
            continue;
        }
        // Writing to a string does not fail.
        let _ = writeln!(out, "{who:8} {what}");
    }
    if left_out > 0 {
        let _ = writeln!(out, "...      and {left_out} more");
    }
    Ok(out)
}

/// Who did something, and what.
fn words(event: &Value, running: Option<u64>) -> Option<(String, String)> {
    let number = |field: &str| event[field].as_u64();
    let text = |field: &str| event[field].as_str();
    let task = number("task").map(|task| format!("task {task}"));
    let fd = number("fd").map(|fd| format!("fd {fd}"));
    let who = running.map_or("program".to_owned(), |task| format!("task {task}"));
    let lane = |lane: &str| lane.to_owned();
    Some(match text("e")? {
        "spawn" => (who, format!("spawns {}", task?)),
        "named" => (task?, format!("is called {:?}", text("name")?)),
        "enqueue" => (
            lane("queue"),
            format!("{} joins; {} there", task?, number("queued")?),
        ),
        "poll_begin" => (task?, "poll".into()),
        "poll_end" if event["ready"].as_bool()? => (task?, "  ... Ready".into()),
        "poll_end" => (task?, "  ... Pending".into()),
        "done" => (task?, "is over; its future is dropped".into()),
        "drop_pending" => (task?, "is dropped while it waits".into()),
        "lost" => (task?, "is lost: no waker of it exists".into()),
        "syscall" => (
            who,
            format!("{} on {}: {}", text("call")?, fd?, answer(event)?),
        ),
        "waker_stored" => (
            who,
            format!("stores its waker: {} of {}", direction(text("dir")?), fd?),
        ),
        "register" => (
            who,
            format!("arms {} for {}", fd?, conditions(text("events")?)),
        ),
        "modify" => (who, interest(event, &fd?)),
        "unregister" => (who, format!("forgets {}", fd?)),
        "select_begin" => (lane("kernel"), asleep(event)?),
        "select_end" => (lane("kernel"), awake(event)?),
        "wake" => (woken_by(text("by")?, running), format!("wakes {}", task?)),
        "notify" => (lane("kernel"), "the notifier was written to".into()),
        "timer_set" => (who, format!("sets timer {}", number("timer")?)),
        "timer_alone" => (
            who,
            format!("is polled again by timer {} alone", number("timer")?),
        ),
        "timer_fired" => (
            lane("reactor"),
            format!("timer {} is due", number("timer")?),
        ),
        _ => return None,
    })
}

fn answer(event: &Value) -> Option<String> {
    let bytes = |n: u64| {
        if n == 1 {
            "1 byte".into()
        } else {
            format!("{n} bytes")
        }
    };
    Some(
        match (
            event["result"].as_str()?,
            event["call"].as_str()?,
            event["n"].as_u64(),
        ) {
            ("would_block", ..) => "WouldBlock".into(),
            ("error", ..) => format!("error {}", event["errno"]),
            (_, "accept", _) => "a connection".into(),
            (_, "io_uring_enter", Some(1)) => "1 request".into(),
            (_, "io_uring_enter", Some(n)) => format!("{n} requests"),
            (_, "recv" | "read", Some(0)) => "the end".into(),
            (_, _, Some(n)) => bytes(n),
            ("short", ..) => "a part of it".into(),
            _ => "all of it".into(),
        },
    )
}

fn direction(letter: &str) -> &str {
    match letter {
        "R" => "READ",
        "W" => "WRITE",
        other => other,
    }
}

fn conditions(letters: &str) -> String {
    let words: Vec<&str> = letters
        .chars()
        .map(|letter| match letter {
            'R' => "READ",
            'W' => "WRITE",
            'C' => "peer closed",
            'H' => "hung up",
            'E' => "error",
            'P' => "urgent",
            _ => "invalid",
        })
        .collect();
    match words.is_empty() {
        true => "nothing".into(),
        false => words.join(", "),
    }
}

fn interest(event: &Value, fd: &str) -> String {
    match event["events"].as_str() {
        Some(letters) if !letters.is_empty() => {
            format!("{fd} is now armed for {}", conditions(letters))
        }
        _ => format!("{fd} is no longer armed"),
    }
}

fn asleep(event: &Value) -> Option<String> {
    let keys = match event["keys"].as_u64()? {
        1 => "1 key".to_owned(),
        keys => format!("{keys} keys"),
    };
    let timeout = &event["timeout"];
    Some(match timeout.is_null() {
        true => format!("asleep in select, {keys}"),
        false if timeout.as_u64() == Some(0) => format!("looks, and does not sleep; {keys}"),
        false => format!("asleep in select, {keys}, until the next timer at most"),
    })
}

fn awake(event: &Value) -> Option<String> {
    let mut ready = Vec::new();
    for pair in event["ready"].as_array()? {
        ready.push(format!("fd {} {}", pair[0], conditions(pair[1].as_str()?)));
    }
    Some(match ready.is_empty() {
        true => "awake: nothing is ready".into(),
        false => format!("awake: {}", ready.join("; ")),
    })
}

fn woken_by(cause: &str, running: Option<u64>) -> String {
    match (cause, running) {
        ("task", Some(task)) => format!("task {task}"),
        ("task", None) => "program".into(),
        (cause, _) => cause.to_owned(),
    }
}
