//! The frame of a server: a task for each connection, until Ctrl-C.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use executor::Runtime;
use futures_util::future::{Either, select};
use reactor::net::{TcpListener, TcpStream};
use reactor::signal::ctrl_c;

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
        println!("listening on {}", listener.local_addr()?);
        let accept = pin!(accept(&listener, attend));
        match select(accept, pin!(ctrl_c())).await {
            Either::Left((failed, _)) => failed,
            Either::Right((pressed, _)) => pressed,
        }
    })??;
    let stopped = runtime.shutdown(GRACE)?;
    println!("stopped: {} connections cut off", stopped.dropped);
    Ok(())
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
                eprintln!("{from}: {error}");
            }
        })
        .detach();
    }
}
