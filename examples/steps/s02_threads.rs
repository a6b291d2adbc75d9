//! Step 2 of 12: a thread for each client. The kernel switches between them, and each costs a stack.
//!
//! ```text
//! cargo run --example s02_threads                 # then, in another terminal: nc 127.0.0.1 7007
//! ```
//!
//! Question: what do threads cost?

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use examples::command_line::arguments;
use examples::say;

fn main() -> io::Result<()> {
    let about = "Step 2 of 12: a thread for each client";
    let [address] = arguments(about, [("ADDRESS", "127.0.0.1:7007")]);
    let listener = TcpListener::bind(address)?;
    say!("listening on {}", listener.local_addr()?);
    // ANCHOR: accept
    loop {
        let (stream, _from) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = echo(stream) {
                say!("lost a client: {error}");
            }
        });
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
