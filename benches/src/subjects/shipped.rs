//! The echo example as it is shipped, from its own source: counters, graceful stop and all.

#[path = "../../../examples/echo/server.rs"]
mod server;

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use executor::net::TcpListener;
use server::Server;

use super::runtime::LOOPBACK;
use super::serve::say_port;
use super::subject::Subject;

/// The subject: what holds for the minimal loop shall hold for the program that people copy.
pub(super) const SUBJECT: Subject = Subject {
    gated: true,
    ..Subject::new(
        "shipped",
        "the echo example, on epoll, edge-triggered",
        serve,
    )
    .on_demand()
};

/// Serves until so many connections have come and gone, then stops as Ctrl-C stops it.
fn serve(connections: usize) {
    let serving = async {
        let listener = TcpListener::bind(LOOPBACK).await.expect("listen");
        say_port(listener.local_addr().expect("an address").port());
        let server = Rc::new(Server::default());
        let gone = async {
            while server.connections.get() < connections as u64 || server.open.get() != 0 {
                server.changed.listen().await;
            }
            server.stop(Duration::ZERO).await;
            Ok(())
        };
        let mut gone = pin!(gone);
        let mut accepting = pin!(Rc::clone(&server).serve(listener));
        std::future::poll_fn(|cx| {
            let accepting = accepting.as_mut().poll(cx);
            if accepting.is_ready() {
                accepting
            } else {
                gone.as_mut().poll(cx)
            }
        })
        .await
        .expect("accept");
        assert_eq!(server.failed.get(), 0, "connections end in order");
    };
    executor::block_on(serving).expect("our runtime");
}
