//! A WebSocket server that sends every message back: async-tungstenite on this runtime.
//!
//! ```text
//! cargo run --release --features ecosystem --example websocket_echo
//! websocat ws://127.0.0.1:7081                                        # in another terminal
//! ```

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use async_tungstenite::tungstenite::Error;
use async_tungstenite::{WebSocketStream, accept_async};
use clap::Parser;
use examples::command_line;
use examples::failure::{self, Failure};
use examples::server::{Patience, serve, within};
use executor::net::TcpStream;
use futures_lite::StreamExt;

/// A WebSocket echo server.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7081")]
    addr: SocketAddr,
    #[command(flatten)]
    patience: Patience,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let patience = args.patience.duration();
    Ok(serve(args.addr, |stream| attend(stream, patience))?)
}

async fn attend(stream: TcpStream, patience: Duration) -> io::Result<()> {
    let socket = within(patience, accept_async(stream)).await?;
    match echo(socket).await {
        // The client has closed, as it should.
        Err(Error::ConnectionClosed) => Ok(()),
        ended => ended.map_err(io::Error::other),
    }
}

async fn echo(socket: Result<WebSocketStream<TcpStream>, Error>) -> Result<(), Error> {
    let mut socket = socket?;
    // Pings are answered on the way, and a close is the end of the stream.
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}
