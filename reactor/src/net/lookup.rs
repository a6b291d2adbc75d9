//! Looking a host name up, off the loop: on the pool of the feature `blocking`, or on a thread per
//! look-up without it.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::errno::tried;

/// All addresses of `name`, a `host:port`.
///
/// Dropping the future leaves a look-up that has begun to finish alone; its answer is thrown away.
#[cfg(feature = "blocking")]
pub(crate) async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    crate::blocking::unblock(move || addresses(&name)).await
}

#[cfg(not(feature = "blocking"))]
pub(crate) use on_a_thread::look_up;

fn addresses(name: &str) -> io::Result<Vec<SocketAddr>> {
    let addresses = name.to_socket_addrs().map(Iterator::collect);
    addresses.map_err(|error| tried(format_args!("look up {name}"), error))
}

#[cfg(not(feature = "blocking"))]
mod on_a_thread {
    use std::future::poll_fn;
    use std::io;
    use std::net::SocketAddr;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::task::{Poll, Waker};
    use std::thread;

    /// Where the thread leaves its answer, or the waiting task its waker.
    #[derive(Default)]
    struct Answer {
        addresses: Option<io::Result<Vec<SocketAddr>>>,
        waker: Option<Waker>,
    }

    /// All addresses of `name`, a `host:port`.
    ///
    /// Dropping the future leaves the thread to finish alone; its answer is thrown away.
    pub(crate) async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
        let answer = Arc::new(Mutex::new(Answer::default()));
        let theirs = Arc::clone(&answer);
        thread::Builder::new()
            .name("resolver".to_owned())
            .spawn(move || {
                let addresses = super::addresses(&name);
                let mut answer = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                answer.addresses = Some(addresses);
                let waker = answer.waker.take();
                drop(answer);
                waker.map(Waker::wake)
            })?;
        poll_fn(|cx| {
            let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
            match answer.addresses.take() {
                Some(addresses) => Poll::Ready(addresses),
                None => {
                    answer.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}
