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
    answer.map_err(|error| about(&name, error))
}

fn about(name: &str, error: io::Error) -> io::Error {
    // What std could not take apart; the kernel's EINVAL has an errno, the resolver's answers other kinds.
    let is_no_address =
        error.kind() == io::ErrorKind::InvalidInput && error.raw_os_error().is_none();
    let why = if is_no_address {
        ", which is no host:port"
    } else {
        ""
    };
    tried(format_args!("look up {name:?}{why}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel says EINVAL where a program has more files open than its limit is by now.
    #[test]
    fn only_what_is_no_address_is_called_so() {
        let error = "nonsense".to_socket_addrs().expect_err("it has no port");
        assert!(
            about("nonsense", error)
                .to_string()
                .contains("no host:port")
        );
        let error = io::Error::from_raw_os_error(libc::EINVAL);
        assert!(
            !about("localhost:1", error)
                .to_string()
                .contains("no host:port")
        );
    }
}
