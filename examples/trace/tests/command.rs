//! The command `trace`: what it writes, and where it sends the reader.

use std::process::Command;
use std::{env, fs};

const TRACE: &str = r#"{"trace":"reactor","version":1,"backend":"poll","trigger":"level"}
{"t":1,"e":"poll_begin","task":0}
{"t":2,"e":"poll_end","task":0,"ready":true}
"#;

/// What `trace html` says when it is given this many traces.
fn html(name: &str, traces: usize) -> (String, String) {
    let folder = env::temp_dir().join(format!("trace-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let folder = folder.canonicalize().expect("it is there");
    let files: Vec<_> = (0..traces)
        .map(|number| folder.join(format!("{number}.trace")))
        .collect();
    for file in &files {
        fs::write(file, TRACE).expect("it can be written");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_trace"))
        .arg("html")
        .args(&files)
        .output()
        .expect("it was built");
    let said = String::from_utf8(output.stdout).expect("text");
    let page = folder.join("0.trace.html");
    assert!(page.exists(), "{said}");
    fs::remove_dir_all(&folder).expect("ours");
    (said, format!("open file://{}", page.display()))
}

#[test]
fn several_traces_are_opened_in_comparison() {
    let (said, address) = html("two", 2);
    assert!(said.contains(&format!("{address}#compare\n")), "{said}");
}

#[test]
fn one_trace_is_opened_at_its_beginning() {
    let (said, address) = html("one", 1);
    assert!(said.contains(&format!("{address}\n")), "{said}");
}

#[test]
fn who_stops_reading_is_not_shouted_at() {
    let file = env::temp_dir().join(format!("trace-pipe-{}.trace", std::process::id()));
    fs::write(&file, TRACE).expect("it can be written");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_trace"))
        .arg("lint")
        .arg(&file)
        .stdout(writer)
        .output()
        .expect("it was built");
    fs::remove_file(&file).expect("ours");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_trace_that_is_no_text_is_refused_with_its_line() {
    let file = env::temp_dir().join(format!("trace-bytes-{}.trace", std::process::id()));
    fs::write(&file, [TRACE.as_bytes(), b"\xff\n"].concat()).expect("it can be written");
    for what in ["lint", "html", "chrome"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trace"));
        let output = command.arg(what).arg(&file).output().expect("it was built");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(".trace: line 4: not UTF-8"), "{said}");
    }
    fs::remove_file(&file).expect("ours");
}

/// Its lines are its result: a disk that is full has lost it.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_an_error() {
    let file = env::temp_dir().join(format!("trace-full-{}.trace", std::process::id()));
    fs::write(&file, TRACE).expect("it can be written");
    for what in ["lint", "html", "chrome"] {
        let full = fs::File::options().write(true).open("/dev/full");
        let output = Command::new(env!("CARGO_BIN_EXE_trace"))
            .arg(what)
            .arg(&file)
            .stdout(full.expect("this system has it"))
            .output()
            .expect("it was built");
        assert_eq!(output.status.code(), Some(2), "{what}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("standard output"), "{what}: {said}");
    }
    for ending in ["", ".html", ".json"] {
        fs::remove_file(format!("{}{ending}", file.display())).expect("ours");
    }
}
