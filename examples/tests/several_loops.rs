//! The examples with more than one loop: guests of a host, neighbours, and one for each core.

mod program;

use std::io::{Read, Write};
use std::net::TcpStream;

use program::{GUARD, Program, Signal};

#[test]
fn host_loop_hears_itself_and_its_guest() {
    let outcome = program::run("host_loop", "");
    outcome.assert_success();
    let expected = "the host heard 5 things, its guest 20 echoes, in ";
    let waits = outcome.stdout.strip_prefix(expected);
    let waits = waits.and_then(|rest| rest.strip_suffix(" waits")?.parse::<u32>().ok());
    // Around a hundred; a host that spins, as over the end of its own fd, counts thousands.
    assert!(waits.is_some_and(|waits| waits < 500), "{outcome:?}");
}

#[test]
fn two_runtimes_talk_on_one_thread() {
    let outcome = program::run("two_runtimes", "");
    outcome.assert_success();
    assert_eq!(
        outcome.stdout,
        "100 messages between poll and select, on one thread"
    );
}

#[test]
fn thread_per_core_serves_on_one_port_and_stops_cleanly() {
    let (mut server, address) = Program::server("thread_per_core", "--threads 3");
    const CLIENTS: usize = 90;
    let mut clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let stream = TcpStream::connect(address).expect("the server listens");
            stream
                .set_read_timeout(Some(GUARD))
                .expect("a valid timeout");
            stream
        })
        .collect();
    for round in 0..3_u8 {
        for client in &mut clients {
            client.write_all(&[round; 100]).expect("written");
        }
        for client in &mut clients {
            let mut answer = [0; 100];
            client.read_exact(&mut answer).expect("echoed");
            assert_eq!(answer, [round; 100]);
        }
    }
    server.signal(Signal::INT);
    let line = server.line_with("served ");
    let shares = line.strip_prefix(&format!("served {CLIENTS} connections: ["));
    let shares = shares
        .and_then(|rest| rest.strip_suffix("]"))
        .expect("all were served");
    let shares: Vec<usize> = shares
        .split(", ")
        .map(|share| share.parse().unwrap())
        .collect();
    // With 90 connections dealt out by hash, nobody stays without: (2/3)^90 is 10^-16.
    assert!(
        shares.len() == 3 && shares.iter().all(|share| *share > 0),
        "{line}"
    );
    server.finish().assert_success();
}
