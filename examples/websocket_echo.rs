//! A WebSocket server that sends every message back: async-tungstenite on this runtime.
//!
//! ```text
//! cargo run --release --features ecosystem --example websocket_echo
//! websocat ws://127.0.0.1:7081                                        # in another terminal
//! ```

use std::io;
use std::net::SocketAddr;

use async_tungstenite::accept_async;
use async_tungstenite::tungstenite::Error;
use clap::Parser;
use examples::server::serve;
use futures_lite::StreamExt;
use reactor::net::TcpStream;

/// A WebSocket echo server.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7081")]
    addr: SocketAddr,
}

fn main() -> io::Result<()> {
    serve(Args::parse().addr, attend)
}

async fn attend(stream: TcpStream) -> io::Result<()> {
    match echo(stream).await {
        // The client has closed, as it should.
        Err(Error::ConnectionClosed) => Ok(()),
        ended => ended.map_err(io::Error::other),
    }
}

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut socket = accept_async(stream).await?;
    // Pings are answered on the way, and a close is the end of the stream.
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}
