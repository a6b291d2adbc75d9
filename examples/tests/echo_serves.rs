//! The server and the client as two processes, on each backend.

mod program;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;

use program::{Program, Signal, executable, on_each_backend, run};

on_each_backend!(
    every_byte_of_a_random_load_comes_back,
    more_connections_than_select_has_bits,
    an_idle_server_reports_a_visit_and_its_end,
);

fn every_byte_of_a_random_load_comes_back(backend: &str) {
    let (server, address) = Program::server("echo", &format!("--selector {backend}"));
    let load = format!("--connections 50 --messages 40 --size 1..64k --selector {backend}");
    let client = run("echo_client", &format!("--addr {address} {load}"));
    client.assert_success();
    let verified = "verified  2,000 messages on 50 connections";
    assert!(client.stdout.contains(verified), "{client:#?}");
    assert!(client.stdout.contains(" messages/s"), "{client:#?}");
    assert!(client.stdout.contains("p50 "), "{client:#?}");

    server.signal(Signal::TERM);
    let server = server.finish();
    server.assert_success();
    assert!(
        server.stdout.contains(&format!("waiting with {backend}")),
        "{server:#?}"
    );
    assert!(
        server.stdout.contains("served 50 connections, "),
        "{server:#?}"
    );
    // Both count the same bytes.
    let counted = client
        .stdout
        .split("all ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let counted = counted.expect("the client says how many bytes came back");
    assert!(
        server.stdout.contains(&format!("{counted} bytes")),
        "{counted} in {server:#?}"
    );
}

/// Fds above 1024, the size of libc's bitmap, and a soft limit that has to be raised first.
fn more_connections_than_select_has_bits(backend: &str) {
    let connections = 1100;
    let low = |example: &str, arguments: &str| {
        let mut shell = Command::new("sh");
        let script = "ulimit -Sn 256 && exec \"$0\" \"$@\"";
        shell
            .args(["-c", script])
            .arg(executable(example))
            .args(arguments.split_whitespace());
        shell.env_remove("SELECTOR");
        shell
    };
    let (server, address) = Program::listening(low(
        "echo",
        &format!("--addr 127.0.0.1:0 --selector {backend}"),
    ));
    let load = format!("-c {connections} -m 3 -s 1..1000 --selector {backend} --timeout 60");
    let client = Program::start(low("echo_client", &format!("--addr {address} {load}"))).finish();
    client.assert_success();
    assert!(
        client
            .stdout
            .contains("verified  3,300 messages on 1,100 connections"),
        "{client:#?}"
    );
    server.signal(Signal::TERM);
    let server = server.finish();
    server.assert_success();
    assert!(
        server.stdout.contains("served 1,100 connections, "),
        "{server:#?}"
    );
}

fn an_idle_server_reports_a_visit_and_its_end(backend: &str) {
    let (mut server, address) = Program::server("echo", &format!("--selector {backend}"));
    let mut visitor = TcpStream::connect(address).expect("the server listens");
    visitor.write_all(b"hello").expect("the server reads");
    server.line_with("1 connection open, ");
    server.line_with("1 connection open, idle");
    visitor
        .shutdown(Shutdown::Write)
        .expect("the connection is open");
    let mut answer = Vec::new();
    visitor
        .read_to_end(&mut answer)
        .expect("the server answers, then closes");
    assert_eq!(answer, b"hello");
    server.line_with("0 connections open, idle");
}

#[test]
#[cfg(target_os = "linux")]
fn epoll_serves_in_both_trigger_modes() {
    for trigger in ["level", "edge"] {
        let how = format!("--selector epoll --trigger {trigger}");
        let (mut server, address) = Program::server("echo", &how);
        let load = format!("--addr {address} -c 20 -m 20 -s 1..64k {how}");
        run("echo_client", &load).assert_success();
        server.signal(Signal::TERM);
        server.line_with("served 20 connections, ");
        let outcome = server.finish();
        outcome.assert_success();
        assert!(
            outcome.stdout.contains(&format!("epoll ({trigger})")),
            "{outcome:#?}"
        );
    }
}

#[test]
fn the_same_seed_sends_the_same_load() {
    let (_server, address) = Program::server("echo", "");
    let bytes = |seed: u32| {
        let load = format!("--addr {address} -c 5 -m 20 -s 1..9999 --seed {seed}");
        let stdout = run("echo_client", &load).stdout;
        stdout
            .lines()
            .find(|line| line.starts_with("verified"))
            .map(str::to_owned)
    };
    assert!(bytes(1).is_some());
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn a_client_that_resets_its_connection_is_counted_and_nothing_else() {
    let (mut server, address) = Program::server("echo", "");
    let rude = socket2::Socket::from(TcpStream::connect(address).expect("the server listens"));
    rude.set_linger(Some(std::time::Duration::ZERO))
        .expect("a socket can linger");
    drop(rude);
    run("echo_client", &format!("--addr {address} -c 3 -m 5")).assert_success();
    server.signal(Signal::TERM);
    let totals = server.line_with("served 4 connections, 15 messages");
    assert!(totals.contains("1 ended with an error"), "{totals}");
    server.finish().assert_success();
}
