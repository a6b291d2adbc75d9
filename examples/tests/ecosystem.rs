//! The examples on crates of others, each driven by a real client of another make.

mod program;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;

use async_tungstenite::tungstenite::{self, Message};
use futures_rustls::pki_types::pem::PemObject;
use futures_rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use program::{GUARD, Program, Signal};

/// A connection that gives up rather than hang.
fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(GUARD))
        .expect("a valid timeout");
    stream
}

/// Ctrl-C, and an end without complaint.
#[track_caller]
fn stop(server: Program) {
    server.signal(Signal::INT);
    let outcome = server.finish();
    outcome.assert_success();
    assert!(
        outcome.stdout.contains("stopped: 0 connections cut off"),
        "{outcome:?}"
    );
    assert_eq!(outcome.stderr, "");
}

/// Is there such a command?
fn exists(command: &str) -> bool {
    let version = Command::new(command).arg("version").output();
    version.is_ok()
}

/// A TLS server, and the file with its certificate.
fn tls_server(name: &str) -> (Program, SocketAddr, PathBuf) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
    let arguments = format!("--certificate {}", file.display());
    let (server, address) = Program::server("tls_echo", &arguments);
    (server, address, file)
}

#[test]
fn a_client_that_never_finishes_its_handshake_is_let_go() {
    for (example, begun) in [
        ("tls_echo", &[0x16, 0x03][..]),
        ("websocket_echo", b"GET / HTTP/1.1\r\nHost:"),
        ("http_hello", b"GET / HTTP/1.1\r\n"),
        ("axum_hello", b"GET / HTTP/1.1\r\n"),
        ("http_hello --http2", b""),
    ] {
        let (example, flag) = example.split_once(' ').unwrap_or((example, ""));
        let (server, address) = Program::server(example, &format!("--patience 1 {flag}"));
        for words in [b"", begun] {
            let mut client = connect(address);
            client.write_all(words).expect("written");
            match client.read_to_end(&mut Vec::new()) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
            }
        }
        server.signal(Signal::INT);
        server.finish().assert_success();
    }
}

#[test]
fn tls_echo_serves_a_rustls_client_on_blocking_sockets() {
    let (server, address, file) = tls_server("rustls");
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(&file).expect("the server wrote it");
    roots.add(certificate).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let session = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = StreamOwned::new(session, connect(address));
    // More than one record of TLS, and more than a buffer.
    let message: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
    for _ in 0..3 {
        stream.write_all(&message).expect("written");
        let mut answer = vec![0; message.len()];
        stream.read_exact(&mut answer).expect("echoed");
        assert!(answer == message);
    }
    stream.conn.send_close_notify();
    stream.flush().expect("closed");
    let mut rest = Vec::new();
    stream
        .read_to_end(&mut rest)
        .expect("closed by the server, too");
    assert!(rest.is_empty());
    drop(stream);
    stop(server);
    fs::remove_file(file).expect("it was there");
}

/// Where there is no openssl, the rustls client above stands alone.
#[test]
fn tls_echo_serves_openssl_s_client() {
    if !exists("openssl") {
        return;
    }
    let (server, address, file) = tls_server("openssl");
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-servername",
            "localhost",
        ])
        .args([
            "-verify_hostname",
            "localhost",
            "-connect",
            &address.to_string(),
        ])
        .arg("-CAfile")
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl exists");
    let mut input = client.stdin.take().expect("piped");
    let output = client.stdout.take().expect("piped");
    writeln!(input, "hello from openssl").expect("it reads");
    let (line, read) = mpsc::channel();
    thread::spawn(move || line.send(BufReader::new(output).lines().next()));
    let echoed = read.recv_timeout(GUARD);
    client.kill().expect("it is ours");
    client.wait().expect("it is ours");
    let echoed = echoed
        .expect("no answer")
        .expect("the server hung up")
        .expect("text");
    assert_eq!(echoed, "hello from openssl");
    drop(server);
    fs::remove_file(file).expect("it was there");
}

/// What curl prints for these arguments; `None` where there is no curl, or it lacks `feature`.
fn curl(feature: &str, arguments: &[&str]) -> Option<String> {
    let version = Command::new("curl").arg("--version").output().ok()?;
    if !String::from_utf8_lossy(&version.stdout).contains(feature) {
        return None;
    }
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--noproxy", "*"])
        .args(["--max-time", "60"])
        .args(arguments)
        .output()
        .expect("curl exists");
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// Where there is no curl, the client on a bare socket below stands alone.
#[test]
fn http_hello_serves_curl() {
    let (server, address) = Program::server("http_hello", "");
    let world = format!("http://{address}/world");
    let moon = format!("http://{address}/moon");
    let Some(answer) = curl("http", &[&world]) else {
        return;
    };
    assert_eq!(answer, "hello, world\n");
    let answer = curl("http", &["--data", "sent back", &world]);
    assert_eq!(answer.as_deref(), Some("sent back"));
    // Two requests on one connection.
    let both = curl("http", &["--write-out", "%{num_connects}\n", &world, &moon]);
    let expected = "hello, world\n1\nhello, moon\n0\n";
    assert_eq!(both.as_deref(), Some(expected));
    stop(server);
}

#[test]
fn http_hello_spawns_http2_requests_through_its_executor() {
    let (server, address) = Program::server("http_hello", "--http2");
    // One request a connection: some versions of curl fail at their second one.
    for number in 1..=3 {
        let url = format!("http://{address}/{number}");
        let version = [
            "--http2-prior-knowledge",
            "--write-out",
            "%{http_version}\n",
            &url,
        ];
        let Some(answer) = curl("HTTP2", &version) else {
            return;
        };
        assert_eq!(answer, format!("hello, {number}\n2\n"));
    }
    stop(server);
}

#[test]
fn http_hello_serves_a_client_on_a_bare_socket() {
    let (server, address) = Program::server("http_hello", "");
    let mut stream = connect(address);
    // A client that sends one byte at a time.
    for byte in b"GET /slow HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n" {
        stream.write_all(&[*byte]).expect("written");
    }
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("answered and closed");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello, slow\n"), "{answer}");
    // What is no HTTP is refused, and harms nobody else.
    let mut stream = connect(address);
    stream.write_all(b"\x00\x01\x02\r\n\r\n").expect("written");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("answered and closed");
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    drop(stream);
    server.signal(Signal::INT);
    server.finish().assert_success();
}

#[test]
fn http_hello_closes_idle_connections_when_it_stops() {
    let (server, address) = Program::server("http_hello", "");
    let mut stream = connect(address);
    let request = b"GET /idle HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).expect("written");
    let mut reader = BufReader::new(&stream);
    let mut line = String::new();
    while line != "hello, idle\n" {
        line.clear();
        assert_ne!(reader.read_line(&mut line).expect("answered"), 0);
    }
    // Kept alive: it is the server that ends it, without waiting for us.
    stop(server);
    assert_eq!(stream.read(&mut [0]).expect("closed in order"), 0);
}

#[test]
fn axum_hello_serves_a_client_on_a_bare_socket() {
    let (server, address) = Program::server("axum_hello", "");
    let ask = |path: &str| {
        let mut stream = connect(address);
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        )
        .expect("written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head[9..12].to_owned(), body.to_owned())
    };
    let ok = |body: &str| ("200".to_owned(), body.to_owned());
    assert_eq!(ask("/hello/world"), ok("hello, world\n"));
    assert_eq!(ask("/wait?ms=5"), ok("waited 5 ms\n"));
    assert_eq!(ask("/count"), ok("2\n"));
    assert_eq!(ask("/wait?ms=soon").0, "400");
    assert_eq!(ask("/nowhere").0, "404");
    stop(server);
}

/// Where there is no curl, the client on a bare socket above stands alone.
#[test]
fn axum_hello_serves_curl() {
    let (server, address) = Program::server("axum_hello", "");
    let Some(answer) = curl("http", &[&format!("http://{address}/hello/curl")]) else {
        return;
    };
    assert_eq!(answer, "hello, curl\n");
    stop(server);
}

#[test]
fn websocket_echo_serves_a_blocking_client() {
    let (server, address) = Program::server("websocket_echo", "");
    let request = format!("ws://{address}/");
    let (mut socket, response) = tungstenite::client(&request, connect(address)).expect("upgraded");
    assert_eq!(response.status(), 101);
    let long: Vec<u8> = (0..300_000_u32).map(|number| number as u8).collect();
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::binary(long),
    ] {
        socket.send(message.clone()).expect("sent");
        assert!(socket.read().expect("echoed") == message);
    }
    socket
        .send(Message::Ping("are you there?".into()))
        .expect("sent");
    assert_eq!(
        socket.read().expect("answered"),
        Message::Pong("are you there?".into())
    );
    socket.close(None).expect("closed");
    loop {
        match socket.read() {
            Ok(message) => assert!(message.is_close()),
            Err(tungstenite::Error::ConnectionClosed) => break,
            Err(error) => panic!("{error}"),
        }
    }
    drop(socket);
    stop(server);
}

#[test]
fn channels_carry_work_between_tasks_and_threads() {
    let outcome = program::run("channels", "");
    outcome.assert_success();
    let sum: u64 = (1..=1000).map(|number| number * number).sum();
    let expected = format!("the squares of 1..=1000 add up to {sum}");
    assert_eq!(outcome.stdout.lines().next(), Some(&*expected));
}
