//! The client against servers that do it wrong: it must notice, and say where.

mod program;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use program::{Program, Signal, command, on_each_backend, run};

on_each_backend!(
    a_wrong_byte_is_found_and_named,
    a_wrong_byte_on_one_of_many_connections_is_found,
    bytes_in_the_wrong_order_are_found,
    a_connection_that_ends_too_early_is_named,
    bytes_that_were_never_sent_are_found,
    a_server_that_does_not_answer_is_given_up,
    what_was_measured_before_ctrl_c_is_told,
);

/// A server that treats its connections, counted from 0, in this way.
fn serve(treat: fn(usize, TcpStream) -> io::Result<()>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            // What becomes of the connection is the client's problem.
            thread::spawn(move || stream.and_then(|stream| treat(number, stream)));
        }
    });
    address
}

/// Echoes, with the byte at `offset` of the stream, if there is one, turned over.
fn corrupt(mut stream: TcpStream, offset: Option<usize>) -> io::Result<()> {
    let mut buffer = [0; 1000];
    let mut before = 0;
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let place = offset.and_then(|offset| offset.checked_sub(before));
        if let Some(byte) = place.and_then(|place| buffer[..length].get_mut(place)) {
            *byte ^= 0xff;
        }
        stream.write_all(&buffer[..length])?;
        before += length;
    }
}

fn a_wrong_byte_is_found_and_named(backend: &str) {
    let address = serve(|_, stream| corrupt(stream, Some(1234)));
    let load = "--connections 1 --messages 50 --size 100";
    let outcome = run(
        "echo_client",
        &format!("--addr {address} --selector {backend} {load}"),
    );
    let error = outcome.assert_failure(1);
    assert!(error.contains("connection 1 "), "{error}");
    assert!(
        error.contains("offset 1234: wrong byte: expected 0x"),
        "{error}"
    );
    let hex = |after: &str| {
        let digits = error.split(after).nth(1).and_then(|rest| rest.get(..2));
        digits
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .expect("two digits")
    };
    assert_eq!(hex("expected 0x") ^ hex("got 0x"), 0xff, "{error}");
    assert!(!outcome.stdout.contains("verified"), "{outcome:#?}");
}

fn a_wrong_byte_on_one_of_many_connections_is_found(backend: &str) {
    let address = serve(|number, stream| corrupt(stream, (number == 57).then_some(4999)));
    let load = "-c 100 -m 50 -s 100";
    let outcome = run(
        "echo_client",
        &format!("--addr {address} --selector {backend} {load}"),
    );
    let error = outcome.assert_failure(1);
    assert!(error.contains(", offset 4999: wrong byte"), "{error}");
}

fn bytes_in_the_wrong_order_are_found(backend: &str) {
    let address = serve(|_, mut stream| {
        let mut message = [0; 64];
        stream.read_exact(&mut message)?;
        message.swap(10, 11);
        stream.write_all(&message)?;
        stream.read(&mut message).map(drop)
    });
    // Two neighbours that are equal by chance would be no error: not with this seed.
    let load = "-c 1 -m 1 -s 64 --seed 1";
    let outcome = run(
        "echo_client",
        &format!("--addr {address} --selector {backend} {load}"),
    );
    let error = outcome.assert_failure(1);
    assert!(error.contains("offset 10: wrong byte"), "{error}");
}

fn a_connection_that_ends_too_early_is_named(backend: &str) {
    let address = serve(|_, mut stream| {
        let mut message = [0; 100];
        stream.read_exact(&mut message)?;
        stream.write_all(&message[..60])
    });
    let load = "-c 1 -m 2 -s 100";
    let outcome = run(
        "echo_client",
        &format!("--addr {address} --selector {backend} {load}"),
    );
    let error = outcome.assert_failure(1);
    assert!(
        error.contains("offset 60: the server closed the connection"),
        "{error}"
    );
}

fn bytes_that_were_never_sent_are_found(backend: &str) {
    let address = serve(|_, mut stream| {
        let mut message = [0; 10];
        stream.read_exact(&mut message)?;
        stream.write_all(&message)?;
        stream.read_to_end(&mut Vec::new())?;
        stream.write_all(b"more")
    });
    let load = "-c 1 -m 1 -s 10";
    let outcome = run(
        "echo_client",
        &format!("--addr {address} --selector {backend} {load}"),
    );
    let error = outcome.assert_failure(1);
    assert!(
        error.contains("offset 10: 4 bytes came that were never sent"),
        "{error}"
    );
}

fn a_server_that_does_not_answer_is_given_up(backend: &str) {
    let address = serve(|_, mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    let load = "-c 3 -m 1 -s 10 --timeout 1";
    let outcome = run(
        "echo_client",
        &format!("--addr {address} --selector {backend} {load}"),
    );
    let error = outcome.assert_failure(1);
    assert!(error.contains("no answer in 1s"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_named_with_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let outcome = run("echo_client", &format!("--addr {address}"));
    let error = outcome.assert_failure(1);
    assert!(
        error.contains(&format!("nobody listens on {address}")),
        "{error}"
    );
    assert!(
        error.contains("cargo run --release --example echo"),
        "{error}"
    );
}

fn what_was_measured_before_ctrl_c_is_told(backend: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener.local_addr().expect("it is bound");
    let load = "--connections 1 --messages 1000000 --size 64";
    let arguments = format!("--addr {address} --selector {backend} {load}");
    let client = Program::start(command("echo_client", &arguments));
    // Many messages come back, and the next one stays away.
    let (mut stream, _) = listener.accept().expect("it connects");
    let mut message = [0; 64];
    for _ in 0..100 {
        stream.read_exact(&mut message).expect("it sends");
        stream.write_all(&message).expect("it reads");
    }
    stream
        .read_exact(&mut message)
        .expect("the last has come back");
    client.signal(Signal::INT);
    let outcome = client.finish();
    let error = outcome.assert_failure(1);
    assert!(
        error.contains("stopped after 100 of 1000000 messages"),
        "{error}"
    );
    let told = "verified  100 messages on 1 connection: all 6,400 bytes came back right";
    assert!(outcome.stdout.contains(told), "{outcome:?}");
}
