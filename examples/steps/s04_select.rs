//! Step 4 of 12: ask the kernel who is ready, and sleep until somebody is: select(2), bare.
//!
//! ```text
//! cargo run --example s04_select                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: how do I ask the kernel?

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;

use examples::command_line::arguments;
use examples::{say, told};
use nix::sys::select::{FdSet, select};

// ANCHOR: client
/// A client, and what was read from it and not yet sent back.
struct Client {
    stream: TcpStream,
    unsent: Vec<u8>,
}
// ANCHOR_END: client

fn main() -> io::Result<()> {
    let about = "Step 4 of 12: ask the kernel who is ready";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    told::begin("select");
    say!("listening on {}", listener.local_addr()?);
    let mut clients: Vec<Client> = Vec::new();
    loop {
        // ANCHOR: ask
        // The sets are built anew for every call: select(2) writes its answer over the question.
        let (mut read, mut write) = (FdSet::new(), FdSet::new());
        read.insert(listener.as_fd());
        for client in &clients {
            let idle = client.unsent.is_empty();
            let set = if idle { &mut read } else { &mut write };
            set.insert(client.stream.as_fd());
        }
        told::asleep(clients.len() + 1, None);
        select(None, &mut read, &mut write, None, None)?;
        told::left_in(read.fds(None), write.fds(None));
        // ANCHOR_END: ask
        // ANCHOR: answer
        // Who is ready is told by place: a client has no name yet but its index.
        let came = read.contains(listener.as_fd());
        let fds = clients.iter().map(|client| client.stream.as_fd());
        let ready = fds.map(|fd| read.contains(fd) || write.contains(fd));
        let mut ready = ready.collect::<Vec<_>>().into_iter();
        clients.retain_mut(|client| match ready.next() {
            Some(true) => match client.advance() {
                Ok(stays) => stays,
                Err(error) if error.kind() == ErrorKind::WouldBlock => true,
                Err(_) => false,
            },
            _ => true,
        });
        // ANCHOR_END: answer
        if came {
            let (stream, _from) = match told::accept(&listener) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                accepted => accepted?,
            };
            stream.set_nonblocking(true)?;
            let unsent = Vec::new();
            clients.push(Client { stream, unsent });
        }
    }
}

// ANCHOR: advance
impl Client {
    /// Sends what is left, or else reads something new. False: the client has gone.
    fn advance(&mut self) -> io::Result<bool> {
        if self.unsent.is_empty() {
            let mut buffer = [0; 4096];
            let length = told::read(&self.stream, &mut buffer)?;
            self.unsent.extend_from_slice(&buffer[..length]);
            return Ok(length != 0);
        }
        let sent = told::write(&self.stream, &self.unsent)?;
        self.unsent.drain(..sent);
        Ok(true)
    }
}
// ANCHOR_END: advance
