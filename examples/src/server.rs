//! The frame of a server: a task for each connection, until Ctrl-C.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use executor::Runtime;
use executor::net::{TcpListener, TcpStream};
use executor::signal::ctrl_c;
use executor::time::timeout;
use futures_util::future::{Either, select};
use trace::{complain, say};

/// How long connections may go on after Ctrl-C.
const GRACE: Duration = Duration::from_secs(1);

/// Listens on `address`, says where, and spawns `attend` for each connection. After Ctrl-C,
/// connections that are open get a second; those that want to know wait for
/// [`executor::stopping`].
///
/// # Errors
///
/// What the kernel answers to bind(2), accept(2) and the wait. The error of a connection is
/// printed, and ends nothing but that connection.
pub fn serve<A, F>(address: SocketAddr, attend: A) -> io::Result<()>
where
    A: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<()>> + 'static,
{
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        say!("listening on {}", listener.local_addr()?);
        let accept = pin!(accept(&listener, attend));
        match select(accept, pin!(ctrl_c())).await {
            Either::Left((failed, _)) => failed,
            Either::Right((pressed, _)) => pressed,
        }
    })??;
    let stopped = runtime.shutdown(GRACE)?;
    say!("stopped: {} connections cut off", stopped.dropped);
    Ok(())
}

/// What a client has to do before it is served, such as a handshake; one that never does it would
/// keep its connection for ever.
///
/// # Errors
///
/// `TimedOut`: it took longer than `patience`.
pub async fn within<F: Future>(patience: Duration, what: F) -> io::Result<F::Output> {
    timeout(patience, what).await.map_err(|_late| {
        let text = format!("the client has not begun as it should in {patience:?}");
        io::Error::new(io::ErrorKind::TimedOut, text)
    })
}

/// The argument `--patience` of servers that use [`within`].
#[derive(Args, Clone, Copy, Debug)]
pub struct Patience {
    /// How long a client may take until it has begun as it should
    #[arg(long, value_name = "SECONDS", default_value = "10",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
}

impl Patience {
    /// As a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

async fn accept<A, F>(listener: &TcpListener, attend: A) -> io::Result<()>
where
    A: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<()>> + 'static,
{
    loop {
        let (stream, from) = listener.accept().await?;
        let connection = attend(stream);
        executor::spawn(async move {
            if let Err(error) = connection.await {
                complain!("{from}: {error}");
            }
        })
        .detach();
    }
}
