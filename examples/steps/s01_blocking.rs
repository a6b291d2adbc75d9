//! Step 1 of 12: one client after another. The thread waits inside `accept` and inside `read`.
//!
//! ```text
//! cargo run --example s01_blocking                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: why does one slow client stop all the others?

use std::env;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:7007".into());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    // ANCHOR: accept
    loop {
        let (stream, _from) = listener.accept()?;
        // Until this client leaves, nobody else is so much as accepted.
        if let Err(error) = echo(stream) {
            println!("lost a client: {error}");
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
