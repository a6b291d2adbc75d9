//! Looking a host name up, off the loop: on the threads of [`blocking`](crate::blocking).

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::blocking::unblock;
use crate::errno::tried;

/// All addresses of `name`, a `host:port`.
///
/// Dropping the future leaves a look-up that has begun to finish alone; its answer is thrown away.
pub(crate) async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    let asked = name.clone();
    let addresses = unblock(move || asked.to_socket_addrs().map(Iterator::collect)).await;
    let answer = addresses.and_then(|answer| answer);
    answer.map_err(|error| match error.kind() {
        // What std could not take apart; the resolver's answers have other kinds.
        io::ErrorKind::InvalidInput => tried(
            format_args!("look up {name:?}, which is no host:port"),
            error,
        ),
        _ => tried(format_args!("look up {name:?}"), error),
    })
}
