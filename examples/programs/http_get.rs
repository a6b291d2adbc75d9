//! An HTTP client: fetches all URLs of its command line at once, and says what came of each.
//!
//! ```text
//! python3 -m http.server 8000                              # or any other server
//! cargo run --release --example http_get -- http://127.0.0.1:8000/ http://localhost:8000/nothing
//! ```
//!
//! HTTP/1.0, so that an answer is neither cut into chunks nor compressed. For more than that put
//! hyper on this runtime, as the example `http_hello` does.

use std::io::{self, Error, ErrorKind};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::failure::{self, Failure};
use examples::{command_line, console, say};
use executor::TaskSet;
use executor::net::TcpStream;
use executor::time::timeout;
use futures_lite::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// For one URL, from the look-up of its host to the last byte.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of all headers together.
const HEAD: u64 = 64 << 10;

/// An HTTP client: fetches all URLs at once, and says what came of each
#[derive(Parser)]
struct Args {
    /// Such as http://127.0.0.1:8000/
    #[arg(value_name = "URL", required = true)]
    urls: Vec<String>,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let all = args.urls.len();
    let failed = executor::block_on(async {
        let mut fetches = TaskSet::new();
        for url in args.urls {
            fetches.spawn(async move {
                let fetched = timeout(PATIENCE, fetch(&url)).await;
                (url, fetched.unwrap_or_else(|late| Err(late.into())))
            });
        }
        let mut failed = 0;
        // In the order in which they end. One that panics is a fault of ours, and none of the others'.
        while let Some(fetched) = fetches.join_next().await {
            match fetched {
                Ok((url, Ok((status, body)))) => {
                    say!("{status} {} bytes {url}", body.len());
                    continue;
                }
                Ok((url, Err(error))) => say!("{error}: {url}"),
                Err(ended) => say!("{ended}"),
            }
            failed += 1;
        }
        failed
    })?;
    console::all_said()?;
    match failed {
        0 => Ok(()),
        _ => Err(Failure::failed(format_args!("{failed} of {all} failed"))),
    }
}

/// The status and the body.
async fn fetch(url: &str) -> io::Result<(u16, Vec<u8>)> {
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| bad("not an http:// URL"))?;
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(bad("a URL has no spaces"));
    }
    let name = host.rsplit(']').next().unwrap_or(host);
    let address = match name.contains(':') {
        true => host.to_owned(),
        false => format!("{host}:80"),
    };

    let stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.0\r\nhost: {host}\r\naccept: */*\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;

    let mut reader = BufReader::new(&stream).take(HEAD);
    let status_line = next_line(&mut reader).await?;
    let mut words = status_line.split(' ');
    let status = match (words.next(), words.next().map(str::parse)) {
        (Some(version), Some(Ok(status))) if version.starts_with("HTTP/1.") => status,
        _ => return Err(bad("the answer is no HTTP")),
    };
    let mut expected = None;
    loop {
        let line = next_line(&mut reader).await?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad("a header without ':'"))?;
        if name.eq_ignore_ascii_case("content-length") {
            let length: u64 = value.trim().parse().map_err(|_| bad("content-length"))?;
            expected = Some(length);
        }
    }
    // With a length it ends there, else where the server hangs up.
    reader.set_limit(expected.unwrap_or(u64::MAX));
    let mut body = Vec::new();
    reader.read_to_end(&mut body).await?;
    if expected.is_some_and(|length| length != body.len() as u64) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok((status, body))
}

/// The next line of the head, without its end.
async fn next_line(reader: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<String> {
    // Not `read_line`: futures-lite's panics in a debug build when a reset cuts a line in two.
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).await?;
    if !line.ends_with(b"\n") {
        return Err(bad("the head of the answer has no end"));
    }
    let line = String::from_utf8(line).map_err(|_| bad("the head of the answer is no text"))?;
    Ok(line.trim_end().to_owned())
}

fn bad(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
