//! Nagle's algorithm with delayed acknowledgements: the step of 40 ms that a server without
//! `TCP_NODELAY` puts into every figure, and that ours are without.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use benches::sys;

const EXCHANGES: usize = 40;

/// The longest of so many exchanges with a server that writes each reply in two pieces.
fn longest(listener: TcpListener) -> Duration {
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 2];
        while stream.read_exact(&mut buffer).is_ok() {
            stream.write_all(&buffer[..1]).unwrap();
            stream.write_all(&buffer[1..]).unwrap();
        }
    });
    let mut client = TcpStream::connect(address).unwrap();
    client.set_nodelay(true).unwrap();
    let longest = (0..EXCHANGES)
        .map(|_| {
            let begin = Instant::now();
            client.write_all(&[1, 2]).unwrap();
            client.read_exact(&mut [0; 2]).unwrap();
            begin.elapsed()
        })
        .max();
    drop(client);
    server.join().unwrap();
    longest.unwrap()
}

#[test]
fn two_pieces_without_no_delay_wait_for_the_acknowledgement() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert!(longest(listener) >= Duration::from_millis(30));
}

#[test]
fn what_a_listener_accepts_has_its_no_delay() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let accepted = |listener: &TcpListener| {
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.accept().unwrap().0.nodelay().unwrap()
    };
    assert!(!accepted(&listener), "the kernel's default");
    sys::no_delay(listener.as_raw_fd()).unwrap();
    assert!(accepted(&listener));
}
