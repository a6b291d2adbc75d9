//! An HTTP server: hyper on this runtime, with its timers, its tasks and a graceful end.
//!
//! ```text
//! cargo run --release --features ecosystem --example http_hello
//! curl -i http://127.0.0.1:7080/world                                 # in another terminal
//! curl -i http://127.0.0.1:7080/ --data 'sent back'
//!
//! cargo run --release --features ecosystem --example http_hello -- --http2
//! curl -i --http2-prior-knowledge http://127.0.0.1:7080/world
//! ```

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::command_line;
use examples::failure::{self, Failure};
use examples::server::{Patience, serve, within};
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use selectors_hyper::{HyperExecutor, HyperStream, HyperTimer};

/// A small HTTP server.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7080")]
    addr: SocketAddr,
    /// Speak HTTP/2 with clients that know it beforehand
    #[arg(long)]
    http2: bool,
    #[command(flatten)]
    patience: Patience,
}

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let patience = args.patience.duration();
    let served = serve(args.addr, move |stream| {
        attend(HyperStream(stream), args.http2, patience)
    });
    Ok(served?)
}

/// One connection; it may carry many requests. `patience` is how long a client may take to send the
/// head of a request, or to answer a ping.
async fn attend(stream: HyperStream, http2: bool, patience: Duration) -> io::Result<()> {
    if http2 {
        // hyper waits for the first words of a client for ever.
        within(patience, stream.0.readable()).await??;
        let service = service_fn(answer);
        // Each request is a task of its own, which hyper spawns through our executor.
        let connection = http2::Builder::new(HyperExecutor)
            .timer(HyperTimer)
            .keep_alive_interval(patience)
            .serve_connection(stream, service);
        until_stopped(connection, http2::Connection::graceful_shutdown).await
    } else {
        let service = service_fn(answer);
        let connection = http1::Builder::new()
            .timer(HyperTimer)
            .header_read_timeout(patience)
            .serve_connection(stream, service);
        until_stopped(connection, http1::Connection::graceful_shutdown).await
    }
}

/// Runs a connection to its end. When the server stops, what is under way is still answered, and
/// nothing new is taken.
async fn until_stopped<C>(connection: C, finish: impl FnOnce(Pin<&mut C>)) -> io::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = pin!(connection);
    let ended = match select(connection.as_mut(), pin!(executor::stopping())).await {
        Either::Left((ended, _)) => ended,
        Either::Right(((), _)) => {
            finish(connection.as_mut());
            connection.await
        }
    };
    ended.map_err(io::Error::other)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match *request.method() {
        Method::GET => {
            let name = request.uri().path().trim_start_matches('/');
            (StatusCode::OK, Bytes::from(format!("hello, {name}\n")))
        }
        Method::POST => match request.into_body().collect().await {
            Ok(body) => (StatusCode::OK, body.to_bytes()),
            Err(_) => (StatusCode::BAD_REQUEST, Bytes::new()),
        },
        _ => (StatusCode::METHOD_NOT_ALLOWED, Bytes::new()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    Ok(response)
}
