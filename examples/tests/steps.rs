//! The ladder: every step serves real clients, and the last ones also send the silent away.

mod program;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use program::{Program, command};

/// Longer than any step needs, even on a busy machine.
const GUARD: Duration = Duration::from_secs(60);

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the step listens");
    stream.set_read_timeout(Some(GUARD)).expect("a time");
    stream
}

/// Says something and hears it again.
#[track_caller]
fn exchange(stream: &mut TcpStream, question: &[u8]) {
    stream.write_all(question).expect("the step reads");
    let mut answer = vec![0; question.len()];
    stream.read_exact(&mut answer).expect("the step answers");
    assert_eq!(answer, question);
}

/// More than fits into one buffer of the step, and bytes that are not all the same.
fn long_question() -> Vec<u8> {
    (0..50_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn start(step: &str, arguments: &str) -> (Program, SocketAddr) {
    Program::listening(command(step, &format!("127.0.0.1:0 {arguments}")))
}

/// One client after another, as the step promises no more.
fn serves_one_after_another(step: &str) {
    let (_program, address) = start(step, "");
    for _ in 0..2 {
        let mut client = connect(address);
        exchange(&mut client, b"hello");
        exchange(&mut client, &long_question());
    }
}

/// Two clients at once: the first one's silence does not stop the second.
fn serves_two_at_once(step: &str, arguments: &str) {
    let (_program, address) = start(step, arguments);
    let mut silent = connect(address);
    exchange(&mut silent, b"I shall be silent now");
    let mut other = connect(address);
    exchange(&mut other, b"hello");
    exchange(&mut other, &long_question());
    drop(other);
    exchange(&mut silent, b"still here");
}

/// A client that resets its connection, or leaves in the middle, harms nobody else.
fn survives_clients_that_leave(step: &str) {
    let (_program, address) = start(step, "");
    for _ in 0..20 {
        let mut client = connect(address);
        client
            .write_all(&long_question()[..1000])
            .expect("it reads");
    }
    exchange(&mut connect(address), b"hello");
}

/// A client that is silent for longer than it may is sent away, no earlier; another stays.
fn sends_the_silent_away(step: &str) {
    let patience = Duration::from_millis(200);
    let (_program, address) = start(step, "200");
    let mut silent = connect(address);
    let begun = Instant::now();
    exchange(&mut silent, b"my last word");
    let end = silent.read(&mut [0; 8]);
    match end {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("not sent away: {other:?}"),
    }
    assert!(begun.elapsed() >= patience);
    exchange(&mut connect(address), b"hello");
}

macro_rules! steps {
    ($($step:ident: $($test:ident $(($argument:literal))?),+;)+) => {
        $(mod $step {
            $(#[test] fn $test() { super::$test(stringify!($step) $(, $argument)?); })+
        })+
    };
}

steps! {
    s01_blocking: serves_one_after_another, survives_clients_that_leave;
    s02_threads: serves_two_at_once(""), survives_clients_that_leave;
    s03_spin: serves_two_at_once(""), survives_clients_that_leave;
    s04_select: serves_two_at_once(""), survives_clients_that_leave;
    s05_callbacks: serves_two_at_once(""), survives_clients_that_leave;
    s06_backends: serves_two_at_once("poll"), survives_clients_that_leave;
    s07_waker: serves_one_after_another, survives_clients_that_leave;
    s08_queue: serves_two_at_once(""), survives_clients_that_leave;
    s09_await: serves_two_at_once(""), survives_clients_that_leave;
    s10_time: serves_two_at_once(""), survives_clients_that_leave;
    s11_cancel: serves_two_at_once(""), survives_clients_that_leave, sends_the_silent_away;
    s12_crates: serves_two_at_once(""), survives_clients_that_leave, sends_the_silent_away;
}
