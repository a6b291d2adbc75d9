//! The echo server: one task a connection.

use std::net::TcpListener;

use crate::runtime::Runtime;

/// Accepts `connections`, echoes on each until its peer closes, and returns when all have.
///
/// # Panics
///
/// When a system call fails: a figure from a broken run is worth nothing.
pub fn serve<R: Runtime>(listener: TcpListener, connections: usize) {
    R::run(async move {
        let listener = R::listen(listener).expect("the runtime takes over the listener");
        let mut tasks = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = R::accept(&listener).await.expect("accept");
            tasks.push(R::spawn(R::echo(stream)));
        }
        for task in tasks {
            task.await;
        }
    });
}
