//! The echo example as it is shipped, from its own source: counters, graceful stop and all.

// It is laid out as its own package is.
#[rustfmt::skip]
#[path = "../../../examples/echo/server.rs"]
mod server;

use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use executor::net::TcpListener;
use server::Server;

use super::{Subject, listener};

/// The subject: what holds for the minimal loop shall hold for the program that people copy.
pub(super) const SUBJECT: Subject = Subject {
    gated: true,
    ..Subject::new("shipped", "the echo example, on epoll, edge-triggered", serve).on_demand()
};

/// Serves until so many connections have come and gone, then stops as Ctrl-C stops it.
fn serve(connections: usize) {
    let serving = async {
        let listener = listener().expect("listen");
        let listener = TcpListener::from_std(listener).expect("a listener");
        let server = Rc::new(Server::default());
        let gone = async {
            let all = connections as u64;
            while all == 0 || server.connections.get() < all || server.open.get() != 0 {
                server.changed.listen().await;
            }
            server.stop(Duration::ZERO).await;
            Ok(())
        };
        let mut gone = pin!(gone);
        let mut accepting = pin!(Rc::clone(&server).serve(listener));
        std::future::poll_fn(|cx| match accepting.as_mut().poll(cx) {
            Poll::Pending => gone.as_mut().poll(cx),
            accepting => accepting,
        })
        .await
        .expect("accept");
        assert_eq!(server.failed.get(), 0, "connections end in order");
    };
    executor::block_on(serving).expect("our runtime");
}
