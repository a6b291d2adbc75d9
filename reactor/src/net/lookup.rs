//! Looking a host name up, off the loop: on the threads of [`blocking`](crate::blocking).

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use crate::blocking::unblock;
use crate::errno::{kind_of_trouble, tried};

/// All addresses of `name`, a `host:port`.
///
/// Dropping the future leaves a look-up that has begun to finish alone; its answer is thrown away.
pub(crate) async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    let asked = name.clone();
    let addresses = unblock(move || asked.to_socket_addrs().map(Iterator::collect));
    match addresses.await {
        Ok(answer) => answer.map_err(|error| tried(format_args!("look up {name}"), error)),
        // Its own kind, WouldBlock, would be taken for a call to be made again at once.
        Err(error) => {
            let what = format_args!("look up {name}: no thread can be made");
            Err(kind_of_trouble(io::ErrorKind::Other, what, error))
        }
    }
}
