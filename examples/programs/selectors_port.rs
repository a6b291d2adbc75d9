//! A Python server with one `selectors` loop, ported line by line: `selectors_port.py` beside it is
//! the original, and a client sees no difference. What one sends comes back in capitals.
//!
//! ```text
//! cargo run --release --example selectors_port             # or with an address: -- 0.0.0.0:7014
//! nc 127.0.0.1 7014                                        # in another terminal
//! ```
//!
//! The names are the original's. What differs: the selector owns its sockets, so `key.fileobj` of a
//! listener and of a connection are one type; and a key has a token as its name, since the socket
//! itself is not there to be named.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;

use examples::{command_line, failure, say};
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Readiness, Token};

enum Socket {
    Listening(TcpListener),
    Connection(TcpStream),
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Listening(socket) => socket.as_fd(),
            Socket::Connection(socket) => socket.as_fd(),
        }
    }
}

#[derive(Default)]
struct Data {
    outb: Vec<u8>,
    ended: bool,
}

type Selector = DefaultSelector<Socket, Data>;

fn accept_wrapper(sel: &mut Selector, conn: TcpStream) -> io::Result<()> {
    conn.set_nonblocking(true)?;
    sel.register(Socket::Connection(conn), EVENT_READ, Data::default())?;
    Ok(())
}

fn service_connection(sel: &mut Selector, key: Token, mask: Readiness) -> io::Result<()> {
    let mut data = sel.data_mut(key).map(mem::take).unwrap_or_default();
    let mut sock = match sel.get_key(key).map(|key| &key.fileobj) {
        Some(Socket::Connection(sock)) => sock,
        Some(Socket::Listening(sock)) => {
            let (conn, _addr) = sock.accept()?;
            return accept_wrapper(sel, conn);
        }
        None => return Ok(()),
    };
    if mask.is_readable() && !data.ended {
        let mut buffer = [0; 1024];
        let length = sock.read(&mut buffer)?;
        data.outb.extend(buffer[..length].to_ascii_uppercase());
        data.ended = length == 0;
    }
    if mask.is_writable() && !data.outb.is_empty() {
        let sent = sock.write(&data.outb)?;
        data.outb.drain(..sent);
    }
    if data.ended && data.outb.is_empty() {
        sel.unregister(key)?;
        return Ok(());
    }
    // What waits to be sent is sent first: who does not read is not read from.
    let events = match data.outb.is_empty() {
        true => EVENT_READ,
        false => EVENT_WRITE,
    };
    sel.modify(key, events)?;
    *sel.data_mut(key).expect("it is registered") = data;
    Ok(())
}

fn main() -> ExitCode {
    let about = "A Python server with one `selectors` loop, ported line by line";
    let [address] = command_line::arguments(about, [("ADDRESS", "127.0.0.1:7014")]);
    failure::exit(serve(address))
}

fn serve(address: String) -> io::Result<()> {
    let lsock = TcpListener::bind(&address)
        .map_err(|error| io::Error::new(error.kind(), format!("bind {address}: {error}")))?;
    say!("selectors_port: listening on {}", lsock.local_addr()?);
    lsock.set_nonblocking(true)?;
    let mut sel = Selector::new()?;
    let listening = sel.register(Socket::Listening(lsock), EVENT_READ, Data::default())?;
    let mut events = Vec::new();
    loop {
        sel.select(&mut events, None)?;
        for event in &events {
            match service_connection(&mut sel, event.token, event.readiness) {
                // As Python's `except ConnectionError`: that connection is over.
                Err(error) if event.token != listening => {
                    say!("selectors_port: {error}");
                    sel.unregister(event.token)?;
                }
                // A client that has gone before it was let in.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                serviced => serviced?,
            }
        }
    }
}
