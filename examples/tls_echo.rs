//! An echo server behind TLS, on rustls. Its certificate is made at start-up, for this run alone.
//!
//! ```text
//! cargo run --release --features ecosystem --example tls_echo -- --certificate cert.pem
//! openssl s_client -connect 127.0.0.1:7443 -CAfile cert.pem -quiet    # in another terminal
//! ```

use std::error::Error;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use examples::command_line;
use examples::failure::{self, Failure};
use examples::server::{Patience, serve, within};
use executor::net::TcpStream;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use futures_rustls::TlsAcceptor;
use futures_rustls::rustls::ServerConfig;
use futures_rustls::rustls::crypto::ring;

/// An echo server behind TLS.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7443")]
    addr: SocketAddr,
    /// Where to leave the certificate for clients (PEM)
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    patience: Patience,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let config = configuration(args.certificate).map_err(Failure::failed)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let patience = args.patience.duration();
    serve(args.addr, |stream| echo(acceptor.clone(), stream, patience))?;
    Ok(())
}

/// A new key, and a certificate for it that says "localhost".
fn configuration(file: Option<PathBuf>) -> Result<ServerConfig, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    if let Some(file) = file {
        fs::write(&file, made.cert.pem())
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let key = made.signing_key.serialize_der().try_into()?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    Ok(config)
}

/// The same echo as without TLS: rustls reads and writes our stream through futures-io.
async fn echo(acceptor: TlsAcceptor, stream: TcpStream, patience: Duration) -> io::Result<()> {
    let mut stream = within(patience, acceptor.accept(stream)).await??;
    let mut buffer = vec![0; 16 << 10];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return stream.close().await,
            length => stream.write_all(&buffer[..length]).await?,
        }
        // rustls buffers: what is not flushed may stay here.
        stream.flush().await?;
    }
}
