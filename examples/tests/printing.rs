//! What the examples print, where nobody reads it or the disk is full: servers go on, a program whose
//! lines are its result fails if they are lost, and a reader who has had enough is no error.

mod program;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use program::{GUARD, Signal, command};
use rustix::process::{Pid, kill_process};

/// The sources of all programs here: of the package itself, of `see`, of the tools.
fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("tests") => {}
            _ if path.is_dir() => sources(&path, out),
            Some(name) if name.ends_with(".rs") => out.push(path),
            _ => {}
        }
    }
}

/// `println!` panics where the reader has gone: in a task that ends a connection, in `main` the
/// program.
#[test]
fn no_program_prints_what_may_panic() {
    let mut all = Vec::new();
    sources(Path::new(env!("CARGO_MANIFEST_DIR")), &mut all);
    assert!(all.len() > 100, "{all:?}");
    for path in all {
        let text = fs::read_to_string(&path).expect("it is text");
        let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for (line, number) in code.lines().zip(1..) {
            let code = line.trim_start();
            let prints = ["println!(", "print!(", "io::stdout().lock()", "dbg!("];
            let found = prints.iter().any(|print| code.contains(print));
            let found = found && !code.starts_with("//");
            assert!(
                !found,
                "{}:{number}: use say! or complain!: {line}",
                path.display()
            );
        }
    }
}

/// A port that was free a moment ago: what is printed cannot be read here.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// A connection, once somebody listens; `None` where the program has ended instead.
fn connect(port: u16, server: &mut Child) -> Option<TcpStream> {
    let deadline = Instant::now() + GUARD;
    while Instant::now() < deadline && server.try_wait().expect("ours").is_none() {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.set_read_timeout(Some(GUARD)).expect("a guard");
            return Some(stream);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// A pipe that nobody reads.
fn closed_pipe() -> Stdio {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn full_disk() -> Stdio {
    let full = File::options().write(true).open("/dev/full");
    full.expect("this system has it").into()
}

/// Starts a server at a free port, asks it three times and resets the connection each time; Ctrl-C
/// ends it well.
fn serves(name: &str, arguments: &str, ask: &[u8], answer: usize, deaf: fn() -> Stdio) {
    let port = free_port();
    let arguments = arguments.replace("PORT", &port.to_string());
    let mut server = command(name, &arguments)
        .stdin(Stdio::null())
        .stdout(deaf())
        .stderr(deaf())
        .spawn()
        .expect("it was built");
    for _ in 0..3 {
        let mut stream = connect(port, &mut server).unwrap_or_else(|| panic!("{name} has ended"));
        stream.write_all(ask).expect("it reads");
        let got = stream.read_exact(&mut vec![0; answer]);
        assert!(got.is_ok(), "{name}: {got:?}");
        let rude = socket2::Socket::from(stream);
        rude.set_linger(Some(Duration::ZERO))
            .expect("it can linger");
    }
    assert!(connect(port, &mut server).is_some(), "{name} has ended");
    let steps = name.starts_with("s0") || name.starts_with("s1");
    let unheard = steps || name == "selectors_port" || name == "echo_callbacks";
    match unheard {
        // Who has no handler may have inherited that Ctrl-C is ignored, as in a shell's background.
        true => server.kill().expect("it runs"),
        false => kill_process(Pid::from_child(&server), Signal::INT).expect("it runs"),
    }
    let status = server.wait().expect("it ends");
    assert!(status.success() || unheard, "{name}: {status}");
}

fn all_serve(deaf: fn() -> Stdio) {
    let behind = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let there = behind.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in behind.incoming() {
            // One who asks nothing and goes is no fault of this test's.
            let _ = stream.and_then(|mut stream| stream.write_all(b"hello"));
        }
    });
    for name in ["echo", "echo_callbacks", "thread_per_core"] {
        serves(name, "--addr 127.0.0.1:PORT", b"hello", 5, deaf);
    }
    for name in [
        "selectors_port",
        "s01_blocking",
        "s02_threads",
        "s05_callbacks",
        "s09_await",
        "s12_crates",
    ] {
        serves(name, "127.0.0.1:PORT", b"hello", 5, deaf);
    }
    serves("chat", "127.0.0.1:PORT", b"", 11, deaf);
    serves("kv", "127.0.0.1:PORT", b"PING\r\n", 7, deaf);
    serves("proxy", &format!("127.0.0.1:PORT {there}"), b"", 5, deaf);
    if cfg!(feature = "ecosystem") {
        let get = b"GET /hello/world HTTP/1.1\r\nhost: localhost\r\n\r\n";
        for name in ["http_hello", "axum_hello"] {
            serves(name, "--addr 127.0.0.1:PORT", get, 15, deaf);
        }
        for name in ["tls_echo", "websocket_echo"] {
            serves(name, "--addr 127.0.0.1:PORT", b"\r\n\r\n", 0, deaf);
        }
    }
}

#[test]
fn servers_go_on_when_nobody_reads_what_they_print() {
    all_serve(closed_pipe);
}

#[cfg(target_os = "linux")]
#[test]
fn servers_go_on_when_the_disk_is_full() {
    all_serve(full_disk);
}

/// Programs that end by themselves, and whose lines are their result.
fn results() -> Vec<(&'static str, &'static str)> {
    let mut all = vec![
        ("echo", "--demo --selector poll"),
        ("probe", "--selector poll --only timers"),
        ("host_loop", ""),
        ("two_runtimes", ""),
        ("http_get", "http://127.0.0.1:1/"),
        ("b05_write_left_on", "fixed"),
        ("b08_blocks", "fixed"),
        ("b10_cut_write", "fixed"),
    ];
    if cfg!(feature = "ecosystem") {
        all.push(("channels", ""));
    }
    all
}

fn run(mut command: Command, stdout: Stdio) -> (Option<i32>, String) {
    let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
    let output = child
        .and_then(Child::wait_with_output)
        .expect("it was built");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_are_lost_are_an_error() {
    for (name, arguments) in results() {
        let (status, stderr) = run(command(name, arguments), full_disk());
        assert_eq!(status, Some(1), "{name}: {stderr}");
        assert!(stderr.contains("standard output"), "{name}: {stderr}");
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    for (name, arguments) in results()
        .into_iter()
        .filter(|(name, _)| *name != "http_get")
    {
        let (status, stderr) = run(command(name, arguments), closed_pipe());
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{name}");
    }
}
