//! Step 1 of 12: one client after another. The thread waits inside `accept` and inside `read`.
//!
//! ```text
//! cargo run --example s01_blocking                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: why does one slow client stop all the others?

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use examples::command_line::arguments;
use examples::say;

fn main() -> io::Result<()> {
    let about = "Step 1 of 12: one client after another";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    say!("listening on {}", listener.local_addr()?);
    // ANCHOR: accept
    loop {
        let (stream, _from) = listener.accept()?;
        // Until this client leaves, nobody else is so much as accepted.
        if let Err(error) = echo(stream) {
            say!("lost a client: {error}");
        }
    }
    // ANCHOR_END: accept
}

// ANCHOR: echo
fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => stream.write_all(&buffer[..length])?,
        }
    }
}
// ANCHOR_END: echo
