//! Step 5 of 12: a key for each fd, with a callback in its data: the echo server of Python's documentation.
//!
//! ```text
//! cargo run --example s05_callbacks                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: how do I remember what to do for which fd?

use std::env;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use examples::told;
use selectors_core::{EVENT_READ, EVENT_WRITE, SelectSelector, Token};

type Selector = SelectSelector<Socket, Data>;

/// The file object of a key: the selector owns it while it is registered.
enum Socket {
    Listener(TcpListener),
    Client(TcpStream),
}

/// The data of a key.
struct Data {
    /// What to do when it is ready. False: the key is done with.
    callback: fn(&mut Selector, Token) -> io::Result<bool>,
    /// What was read and not yet sent back.
    unsent: Vec<u8>,
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let mut selector = Selector::new()?;
    told::begin(selector.backend().name())?;
    println!("listening on {}", listener.local_addr()?);
    let data = Data {
        callback: accept,
        unsent: Vec::new(),
    };
    told::watched(&listener, EVENT_READ);
    selector.register(Socket::Listener(listener), EVENT_READ, data)?;
    let mut ready = Vec::new();
    loop {
        told::asleep(selector.get_map().len(), None);
        selector.select(&mut ready, None)?;
        told::ready(&ready);
        for event in &ready {
            // A callback before this one may have unregistered the key.
            let Some(key) = selector.get_key(event.token) else {
                continue;
            };
            let callback = key.data.callback;
            match callback(&mut selector, event.token) {
                Ok(true) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The key comes back with the socket in it; dropping it closes the socket.
                Ok(false) | Err(_) => {
                    told::forgotten(event.token.fd());
                    drop(selector.unregister(event.token)?);
                }
            }
        }
    }
}

fn accept(selector: &mut Selector, token: Token) -> io::Result<bool> {
    if let Some(Socket::Listener(listener)) = selector.get_key(token).map(|key| &key.fileobj) {
        let (stream, _from) = told::accept(listener)?;
        stream.set_nonblocking(true)?;
        let data = Data {
            callback: read,
            unsent: Vec::new(),
        };
        told::watched(&stream, EVENT_READ);
        selector.register(Socket::Client(stream), EVENT_READ, data)?;
    }
    Ok(true)
}

fn read(selector: &mut Selector, token: Token) -> io::Result<bool> {
    let mut buffer = [0; 4096];
    let length = told::read(client(selector, token)?, &mut buffer)?;
    if let Some(data) = selector.data_mut(token) {
        data.unsent.extend_from_slice(&buffer[..length]);
        data.callback = write;
    }
    selector.modify(token, EVENT_WRITE)?;
    told::changed(token.fd(), Some(EVENT_WRITE));
    Ok(length != 0)
}

fn write(selector: &mut Selector, token: Token) -> io::Result<bool> {
    let unsent = selector.get_key(token).map(|key| &key.data.unsent[..]);
    let sent = told::write(client(selector, token)?, unsent.unwrap_or_default())?;
    if let Some(data) = selector.data_mut(token) {
        data.unsent.drain(..sent);
        if data.unsent.is_empty() {
            data.callback = read;
            selector.modify(token, EVENT_READ)?;
            told::changed(token.fd(), Some(EVENT_READ));
        }
    }
    Ok(true)
}

fn client(selector: &Selector, token: Token) -> io::Result<&TcpStream> {
    match selector.get_key(token).map(|key| &key.fileobj) {
        Some(Socket::Client(stream)) => Ok(stream),
        _ => Err(ErrorKind::NotFound.into()),
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Listener(listener) => listener.as_fd(),
            Socket::Client(stream) => stream.as_fd(),
        }
    }
}
