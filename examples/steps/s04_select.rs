//! Step 4 of 12: ask the kernel who is ready, and sleep until somebody is: select(2), bare.
//!
//! ```text
//! cargo run --example s04_select                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: how do I ask the kernel?

use std::env;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use examples::told;
use nix::sys::select::{FdSet, select};
use selectors_core::Readiness;

/// A client, and what was read from it and not yet sent back.
struct Client {
    stream: TcpStream,
    unsent: Vec<u8>,
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    told::begin("select")?;
    println!("listening on {}", listener.local_addr()?);
    let mut clients: Vec<Client> = Vec::new();
    loop {
        // The sets are built anew for every call: select(2) writes its answer over the question.
        let (mut read, mut write) = (FdSet::new(), FdSet::new());
        read.insert(listener.as_fd());
        for client in &clients {
            let set = if client.unsent.is_empty() {
                &mut read
            } else {
                &mut write
            };
            set.insert(client.stream.as_fd());
        }
        told::asleep(clients.len() + 1, None);
        select(None, &mut read, &mut write, None, None)?;
        told::awake(&answer(&read, &write));
        let came = read.contains(listener.as_fd());
        let ready: Vec<bool> = clients
            .iter()
            .map(|client| {
                let fd = client.stream.as_fd();
                read.contains(fd) || write.contains(fd)
            })
            .collect();

        // Who is ready is told by place: a client has no name yet but its index.
        let mut ready = ready.into_iter();
        clients.retain_mut(|client| {
            if ready.next() != Some(true) {
                return true;
            }
            match client.advance() {
                Ok(stays) => stays,
                Err(error) if error.kind() == ErrorKind::WouldBlock => true,
                Err(_) => false,
            }
        });
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

/// Everybody whom the kernel left in the sets, for the trace.
fn answer(read: &FdSet<'_>, write: &FdSet<'_>) -> Vec<(RawFd, Readiness)> {
    let numbers = |set: &FdSet<'_>| set.fds(None).map(|fd| fd.as_raw_fd()).collect::<Vec<_>>();
    let read = numbers(read)
        .into_iter()
        .map(|fd| (fd, Readiness::READABLE));
    let write = numbers(write)
        .into_iter()
        .map(|fd| (fd, Readiness::WRITABLE));
    read.chain(write).collect()
}

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
