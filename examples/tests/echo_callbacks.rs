//! The echo server with callbacks, on each backend.

mod program;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use program::{Program, on_each_backend, run};

on_each_backend!(
    echoes_to_many_clients,
    a_client_that_reads_late_gets_every_byte,
    a_reset_connection_does_not_end_the_server,
);

fn server(backend: &str) -> (Program, SocketAddr) {
    Program::server("echo_callbacks", &format!("--selector {backend}"))
}

fn echoes_to_many_clients(backend: &str) {
    let (mut server, address) = server(backend);
    let client = run(
        "echo_client",
        &format!("--addr {address} -c 30 -m 20 -s 1..64k"),
    );
    client.assert_success();
    assert!(
        client.stdout.contains("verified  600 messages"),
        "{client:#?}"
    );
    server.line_with("closing ");
}

fn a_client_that_reads_late_gets_every_byte(backend: &str) {
    const SENT: usize = 32 << 20;
    let (_server, address) = server(backend);
    let mut client = TcpStream::connect(address).expect("the server listens");
    let mut writer = client.try_clone().expect("a second handle");
    let byte = |offset: usize| (offset % 251) as u8;
    let writer = thread::spawn(move || {
        let block: Vec<u8> = (0..SENT).map(byte).collect();
        writer
            .write_all(&block)
            .expect("the server reads, sooner or later");
        writer
            .shutdown(Shutdown::Write)
            .expect("the connection is open");
    });
    // Meanwhile another client is served: the unsent bytes of one stop nobody else.
    run("echo_client", &format!("--addr {address} -c 2 -m 5")).assert_success();
    let mut received = Vec::new();
    client
        .read_to_end(&mut received)
        .expect("the server sends all, then closes");
    assert_eq!(received.len(), SENT);
    assert!(
        received
            .iter()
            .enumerate()
            .all(|(offset, &got)| got == byte(offset))
    );
    writer.join().expect("the writer does not panic");
}

fn a_reset_connection_does_not_end_the_server(backend: &str) {
    let (mut server, address) = server(backend);
    let rude = socket2::Socket::from(TcpStream::connect(address).expect("the server listens"));
    rude.set_linger(Some(std::time::Duration::ZERO))
        .expect("a socket can linger");
    drop(rude);
    server.line_with("error on fd ");
    run("echo_client", &format!("--addr {address} -c 3 -m 5")).assert_success();
}
