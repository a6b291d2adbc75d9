//! How the server ends: with totals and status 0, whatever its clients are doing.

mod program;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use program::{Outcome, Program, Signal, on_each_backend};

on_each_backend!(
    sigterm_ends_it_with_totals,
    sigint_ends_it_with_totals,
    an_open_idle_connection_is_closed,
    a_connection_in_the_middle_of_a_write_gets_all_of_it,
    what_was_counted_arrives_though_clients_read_slowly_and_go_on_sending,
    a_client_that_never_reads_is_cut_off_after_the_grace_period,
    a_second_signal_cuts_the_grace_period_short,
    nobody_is_let_in_any_more,
);

fn server(arguments: &str) -> (Program, SocketAddr) {
    Program::server("echo", arguments)
}

fn sigterm_ends_it_with_totals(backend: &str) {
    ends_with_totals(backend, Signal::TERM);
}

fn sigint_ends_it_with_totals(backend: &str) {
    ends_with_totals(backend, Signal::INT);
}

fn ends_with_totals(backend: &str, signal: Signal) {
    let (server, address) = server(&format!("--selector {backend}"));
    assert_eq!(echo(&mut connect(address), b"five!"), b"five!");
    server.signal(signal);
    let outcome = server.finish();
    outcome.assert_success();
    assert!(
        outcome
            .stdout
            .contains("served 1 connection, 1 message, 5 bytes"),
        "{outcome:#?}"
    );
}

fn an_open_idle_connection_is_closed(backend: &str) {
    let (server, address) = server(&format!("--selector {backend} --grace 3600"));
    let mut client = connect(address);
    assert_eq!(echo(&mut client, b"hello"), b"hello");
    server.signal(Signal::TERM);
    // No reset: the end of the stream.
    assert_eq!(
        client
            .read(&mut [0; 8])
            .expect("the server closes in order"),
        0
    );
    drop(client);
    server.finish().assert_success();
}

fn a_connection_in_the_middle_of_a_write_gets_all_of_it(backend: &str) {
    let (mut server, address) = server(&format!("--selector {backend} --grace 3600"));
    let mut client = connect(address);
    let (flood, sent) = flood(&client);
    server.signal(Signal::TERM);
    server.line_with("1 connection may finish writing");

    // Now it reads: what was written comes to its end without a hole, and without a reset.
    let mut received = Vec::new();
    client
        .read_to_end(&mut received)
        .expect("no reset before the last byte");
    assert!(!received.is_empty() && received.len() <= sent);
    assert!(
        received
            .iter()
            .zip(0..)
            .all(|(&byte, offset)| byte == pattern(offset))
    );
    drop(client);
    let _ = flood.join().expect("the writer does not panic");
    let outcome = server.finish();
    outcome.assert_success();
    assert_eq!(total_bytes(&outcome), received.len());
}

fn what_was_counted_arrives_though_clients_read_slowly_and_go_on_sending(backend: &str) {
    const SENT: usize = 200 << 10;
    let (mut server, address) = server(&format!("--selector {backend} --grace 3600"));
    let block: Vec<u8> = (0..SENT).map(pattern).collect();
    let mut clients: Vec<_> = (0..8).map(|_| connect(address)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&block).expect("the server reads");
        // Some have said that no more will come, and some have read a little.
        match number % 4 {
            0 => client.shutdown(Shutdown::Write).expect("open"),
            1 => client.read_exact(&mut [0; 1]).expect("the server answers"),
            _ => {}
        }
    }
    server.signal(Signal::INT);
    server.line_with("may finish writing");
    let mut received = 0;
    for (number, mut client) in clients.into_iter().enumerate() {
        let mut offset = usize::from(number % 4 == 1);
        let mut buffer = [0; 16 << 10];
        loop {
            // What is still sent meets a server that does not echo it any more.
            if number % 4 != 0 {
                client.write_all(b"?").expect("no reset while we read");
            }
            thread::sleep(Duration::from_millis(1));
            let length = client
                .read(&mut buffer)
                .expect("no reset before the last byte");
            if length == 0 {
                break;
            }
            for byte in &buffer[..length] {
                assert!(offset >= SENT || *byte == pattern(offset), "{offset}");
                offset += 1;
            }
        }
        received += offset;
    }
    let outcome = server.finish();
    outcome.assert_success();
    assert!(!outcome.stdout.contains("cut off"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("error"), "{outcome:#?}");
    assert_eq!(total_bytes(&outcome), received);
}

fn a_client_that_never_reads_is_cut_off_after_the_grace_period(backend: &str) {
    let (server, address) = server(&format!("--selector {backend} --grace 1"));
    let client = connect(address);
    let (flood, _) = flood(&client);
    let start = Instant::now();
    server.signal(Signal::TERM);
    let outcome = server.finish();
    assert!(
        start.elapsed() >= Duration::from_secs(1),
        "grace is never cut short by itself"
    );
    outcome.assert_success();
    assert!(
        outcome.stdout.contains("1 connection cut off"),
        "{outcome:#?}"
    );
    assert!(
        outcome.stdout.contains("served 1 connection, "),
        "{outcome:#?}"
    );
    let _ = flood.join().expect("the writer does not panic");
}

fn a_second_signal_cuts_the_grace_period_short(backend: &str) {
    let (mut server, address) = server(&format!("--selector {backend} --grace 3600"));
    let client = connect(address);
    let (flood, _) = flood(&client);
    server.signal(Signal::INT);
    server.line_with("Ctrl-C again");
    server.signal(Signal::INT);
    let outcome = server.finish();
    outcome.assert_success();
    assert!(
        outcome.stdout.contains("1 connection cut off"),
        "{outcome:#?}"
    );
    let _ = flood.join().expect("the writer does not panic");
}

fn nobody_is_let_in_any_more(backend: &str) {
    let (mut server, address) = server(&format!("--selector {backend} --grace 3600"));
    let client = connect(address);
    let (flood, _) = flood(&client);
    server.signal(Signal::TERM);
    server.line_with("1 connection may finish writing");
    let refused = TcpStream::connect(address).expect_err("the listener is closed");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    server.signal(Signal::TERM);
    server.finish().assert_success();
    let _ = flood.join().expect("the writer does not panic");
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(program::GUARD))
        .expect("a guard against hanging");
    stream
}

fn echo(stream: &mut TcpStream, message: &[u8]) -> Vec<u8> {
    stream.write_all(message).expect("the server reads");
    let mut answer = vec![0; message.len()];
    stream.read_exact(&mut answer).expect("the server answers");
    answer
}

/// Writes without reading until the server, with every buffer on the way full, stops reading.
/// Goes on writing on a thread; returns that, and how many bytes it has to send at most.
fn flood(stream: &TcpStream) -> (thread::JoinHandle<io::Result<()>>, usize) {
    const SENT: usize = 64 << 20;
    let block: Vec<u8> = (0..251 * 256).map(pattern).collect();
    let mut stream = stream.try_clone().expect("a second handle");
    stream
        .set_nonblocking(true)
        .expect("a socket can be non-blocking");
    let (mut written, mut stuck_since) = (0, Instant::now());
    // Nothing has moved for a while: the server hangs in its write.
    while stuck_since.elapsed() < Duration::from_millis(500) {
        match stream.write(&block[written % block.len()..]) {
            Ok(length) => {
                written += length;
                stuck_since = Instant::now();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("the server is gone: {error}"),
        }
        assert!(
            written < SENT,
            "a server that echoes cannot take in 64 MiB unread"
        );
    }
    stream.set_nonblocking(false).expect("a socket can block");
    let rest = thread::spawn(move || {
        while written < SENT {
            written += stream.write(&block[written % block.len()..])?;
        }
        Ok(())
    });
    (rest, SENT + 251 * 256)
}

/// The byte at an offset of the flood; a prime period, so that a lost chunk shows.
fn pattern(offset: usize) -> u8 {
    (offset % 251) as u8
}

/// The bytes in the line of totals: `served 1 connection, 2 messages, 3,456 bytes in 0.7 s`.
fn total_bytes(outcome: &Outcome) -> usize {
    let totals = outcome
        .stdout
        .lines()
        .find(|line| line.contains("served "))
        .unwrap_or_default();
    let mut parts = totals.split(", ");
    let bytes = parts.find_map(|part| part.split_once(" bytes")?.0.replace(',', "").parse().ok());
    bytes.unwrap_or_else(|| panic!("no bytes in {outcome:#?}"))
}
