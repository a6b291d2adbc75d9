//! Where to listen or connect, as typed at a command line.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use executor::net::TcpListener;

use crate::failure::Failure;

/// `HOST:PORT`: known to look right, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The text, for `bind` and `connect`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Listens here.
    ///
    /// # Errors
    ///
    /// [`Failure::BadInput`]: the kernel does not give us this address, so another must be asked
    /// for.
    pub async fn listen(&self) -> Result<TcpListener, Failure> {
        TcpListener::bind(self.as_str())
            .await
            .map_err(|error| self.refused(&error))
    }

    /// What it means that this address cannot be listened on.
    pub fn refused(&self, error: &io::Error) -> Failure {
        let reason = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "the port is in use; choose another with --addr, port 0 for any free one".to_owned()
            }
            io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "not permitted; ports below 1024 belong to the administrator".to_owned()
            }
            _ => error.to_string(),
        };
        Failure::bad_input(format_args!("cannot listen on {self}: {reason}"))
    }
}

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Address, Self::Err> {
        const EXPECTED: &str = "expected HOST:PORT with a port up to 65535, such as \
                                127.0.0.1:7007, [::1]:7007 or localhost:7007";
        let numeric = text.parse::<SocketAddr>().is_ok();
        if numeric || is_name_and_port(text) {
            Ok(Address(text.to_owned()))
        } else {
            Err(EXPECTED)
        }
    }
}

/// Whether it could be the name of a host and a port. Four numbers that are no IP address are a
/// typing error, which no name server need be asked about.
fn is_name_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let named = host.contains(|c: char| c.is_ascii_alphabetic()) || host.parse::<IpAddr>().is_ok();
    named && host.chars().all(letters) && port.parse::<u16>().is_ok()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn takes_numbers_and_names_with_a_port() {
        for good in [
            "127.0.0.1:7007",
            "[::1]:0",
            "localhost:80",
            "my-host.example:65535",
        ] {
            assert!(good.parse::<Address>().is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_an_address() {
        let no_port = ["", "localhost", "127.0.0.1", "::1", "7007", "localhost:"];
        let bad_port = ["localhost:65536", "localhost:http", "127.0.0.1:-1"];
        let bad_host = [":7007", "1.2.3.999:80", "a b:80", "::1:80", "300:80"];
        for bad in no_port.iter().chain(&bad_port).chain(&bad_host) {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }
}
