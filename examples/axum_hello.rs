//! A small web service: axum's routes on hyper on this runtime.
//!
//! ```text
//! cargo run --release --features ecosystem --example axum_hello
//! curl -i http://127.0.0.1:7082/hello/world                            # in another terminal
//! curl -i 'http://127.0.0.1:7082/wait?ms=50'
//! curl -i http://127.0.0.1:7082/count
//! ```
//!
//! axum's own server is tokio's; its routes are a service like any other, and hyper serves those.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use clap::Parser;
use examples::command_line;
use examples::failure::{self, Failure};
use examples::server::{Patience, serve};
use executor::time::sleep;
use hyper::server::conn::http1;
use hyper_util::service::TowerToHyperService;
use selectors_hyper::{HyperStream, HyperTimer};
use send_wrapper::SendWrapper;

/// A small web service.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 is any free port
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:7082")]
    addr: SocketAddr,
    #[command(flatten)]
    patience: Patience,
}

/// Requests so far. axum wants it to be `Send` and `Sync`, although one thread has it all.
type Count = Arc<AtomicU64>;

fn main() -> ExitCode {
    failure::exit(command_line::parse().and_then(run))
}

fn run(args: Args) -> Result<(), Failure> {
    let routes = Router::new()
        .route("/hello/{name}", get(hello))
        .route("/wait", get(wait))
        .route("/count", get(count))
        .with_state(Count::default());
    let patience = args.patience.duration();
    let served = serve(args.addr, move |stream| {
        let service = TowerToHyperService::new(routes.clone());
        async move {
            let connection = http1::Builder::new()
                .timer(HyperTimer)
                .header_read_timeout(patience)
                .serve_connection(HyperStream(stream), service);
            connection.await.map_err(io::Error::other)
        }
    });
    Ok(served?)
}

async fn hello(State(count): State<Count>, Path(name): Path<String>) -> String {
    count.fetch_add(1, Ordering::Relaxed);
    format!("hello, {name}\n")
}

/// How long to wait, in milliseconds.
#[derive(serde::Deserialize)]
struct Wait {
    ms: u64,
}

/// The one thing that is different here: a handler of axum's must be `Send`, and our timer is not.
async fn wait(State(count): State<Count>, Query(wait): Query<Wait>) -> String {
    count.fetch_add(1, Ordering::Relaxed);
    SendWrapper::new(sleep(Duration::from_millis(wait.ms))).await;
    format!("waited {} ms\n", wait.ms)
}

async fn count(State(count): State<Count>) -> String {
    format!("{}\n", count.load(Ordering::Relaxed))
}
