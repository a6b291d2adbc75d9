//! Step 3 of 12: one thread for all, with sockets that answer WouldBlock instead of waiting. Watch the CPU.
//!
//! ```text
//! cargo run --example s03_spin                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what is WouldBlock, and what is wrong with asking again and again?

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};

use examples::command_line::arguments;
use examples::{say, told};

// ANCHOR: client
/// A client, and what was read from it and not yet sent back.
struct Client {
    stream: TcpStream,
    unsent: Vec<u8>,
}
// ANCHOR_END: client

fn main() -> io::Result<()> {
    let about = "Step 3 of 12: one thread for all, which never sleeps";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    told::begin("nothing");
    say!("listening on {}", listener.local_addr()?);
    let mut clients = Vec::new();
    // ANCHOR: loop
    // Nearly every call in this loop is in vain: it burns a whole CPU to find out that there is
    // nothing to do.
    loop {
        match told::accept(&listener) {
            Ok((stream, _from)) => {
                stream.set_nonblocking(true)?;
                let unsent = Vec::new();
                clients.push(Client { stream, unsent });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        clients.retain_mut(|client| match client.advance() {
            Ok(stays) => stays,
            Err(error) if error.kind() == ErrorKind::WouldBlock => true,
            Err(_) => false,
        });
    }
    // ANCHOR_END: loop
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
