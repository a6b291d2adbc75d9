//! The echo server of the Python `selectors` documentation: no async, only a selector, and in
//! each key's data the function to call when the key is ready.
//!
//! ```text
//! cargo run --release --example echo_callbacks -- --selector poll
//! cargo run --release --example echo_client                # in another terminal
//! ```
//!
//! The original reads `callback = key.data; callback(key.fileobj, mask)`, and hopes that a send
//! does not block. This one keeps what could not be sent, and waits for WRITE meanwhile: that
//! line is what an async runtime writes for you.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::ExitCode;

use clap::Parser;
use examples::address::Address;
use examples::failure::Failure;
use examples::runtime_args::SelectorArgs;
use examples::{command_line, failure, fds, say};
use selectors_core::{DefaultSelector, EVENT_READ, EVENT_WRITE, Token};

/// An echo server on a bare selector, with callbacks, as in the documentation of Python.
#[derive(Parser)]
#[command(name = "echo_callbacks", version, allow_negative_numbers = true)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7007")]
    addr: Address,
    #[command(flatten)]
    selector: SelectorArgs,
}

/// The selector of this program: the files that it owns, and what is attached to each.
type Selector = DefaultSelector<Socket, Data>;

/// The file object of a key.
enum Socket {
    Listener(TcpListener),
    Connection(TcpStream),
}

/// The data of a key.
struct Data {
    /// What to do when the key is ready.
    callback: fn(&mut Selector, Token) -> io::Result<()>,
    /// What was read and is not yet sent.
    unsent: Vec<u8>,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    fds::raise_limit();
    let backend = args.selector.backend()?;
    let mut selector: Selector = backend.selector().map_err(Failure::failed)?;

    let bound = TcpListener::bind(args.addr.as_str());
    let listener = bound.map_err(|error| args.addr.refused(&error))?;
    listener.set_nonblocking(true)?;
    say!(
        "echo_callbacks: listening on {}, waiting with {backend}",
        listener.local_addr()?
    );
    let data = Data {
        callback: accept,
        unsent: Vec::new(),
    };
    selector
        .register(Socket::Listener(listener), EVENT_READ, data)
        .map_err(Failure::failed)?;

    let mut ready = Vec::new();
    loop {
        selector.select(&mut ready, None).map_err(Failure::failed)?;
        for event in &ready {
            // A callback before this one may have closed the connection.
            let Some(key) = selector.get_key(event.token) else {
                continue;
            };
            let callback = key.data.callback;
            match callback(&mut selector, event.token) {
                Ok(()) => {}
                // Readiness is a hint; the next one may be right.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => fail(&mut selector, event.token, &error)?,
            }
        }
    }
}

/// A client has come.
fn accept(selector: &mut Selector, token: Token) -> io::Result<()> {
    let Some(Socket::Listener(listener)) = selector.get_key(token).map(|key| &key.fileobj) else {
        return Ok(());
    };
    let (stream, from) = listener.accept()?;
    say!("accepted {from}");
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let data = Data {
        callback: read,
        unsent: Vec::new(),
    };
    selector.register(Socket::Connection(stream), EVENT_READ, data)?;
    Ok(())
}

/// A client has sent something, or has gone.
fn read(selector: &mut Selector, token: Token) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let length = connection(selector, token)?.read(&mut buffer)?;
    if length == 0 {
        return close(selector, token);
    }
    if let Some(data) = selector.data_mut(token) {
        data.unsent.extend_from_slice(&buffer[..length]);
    }
    write(selector, token)
}

/// A client takes something again. What it does not take waits, and so does reading.
fn write(selector: &mut Selector, token: Token) -> io::Result<()> {
    let unsent = selector
        .get_key(token)
        .map_or(&[][..], |key| &key.data.unsent);
    let sent = match connection(selector, token)?.write(unsent) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        sent => sent?,
    };
    let Some(data) = selector.data_mut(token) else {
        return Ok(());
    };
    data.unsent.drain(..sent);
    // The callback and the interest say the same; modifying to what is already there is free.
    let events = if data.unsent.is_empty() {
        EVENT_READ
    } else {
        EVENT_WRITE
    };
    data.callback = if data.unsent.is_empty() { read } else { write };
    selector.modify(token, events)?;
    Ok(())
}

/// A client has gone: the key comes back with the stream in it, and dropping it closes it.
fn close(selector: &mut Selector, token: Token) -> io::Result<()> {
    let key = selector.unregister(token)?;
    if let Socket::Connection(stream) = &key.fileobj {
        match stream.peer_addr() {
            Ok(peer) => say!("closing {peer}"),
            Err(_) => say!("closing fd {}", key.fd),
        }
    }
    Ok(())
}

/// A callback has failed: the connection is lost, the listener merely lost a client.
fn fail(selector: &mut Selector, token: Token, error: &io::Error) -> io::Result<()> {
    say!("error on fd {}: {error}", token.fd());
    match selector.get_key(token).map(|key| &key.fileobj) {
        Some(Socket::Connection(_)) => close(selector, token),
        _ => Ok(()),
    }
}

/// The stream of a key, to be read from and written to.
fn connection(selector: &Selector, token: Token) -> io::Result<&TcpStream> {
    match selector.get_key(token).map(|key| &key.fileobj) {
        Some(Socket::Connection(stream)) => Ok(stream),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Listener(listener) => listener.as_fd(),
            Socket::Connection(stream) => stream.as_fd(),
        }
    }
}
