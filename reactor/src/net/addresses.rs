//! Addresses, as numbers or as names; names are looked up on a thread, never on the loop.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::net::lookup::look_up;

/// What can be bound or connected to: the types that [`std::net::ToSocketAddrs`] accepts.
///
/// Numeric addresses resolve at once. A host name is looked up by the system's resolver on another
/// thread, because that call blocks and has no other form.
pub trait ToSocketAddrs {
    /// The addresses, or the name to look up.
    fn lookup(&self) -> Lookup;
}

/// The answer of [`ToSocketAddrs::lookup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Nothing to look up.
    Addresses(Vec<SocketAddr>),
    /// `host:port`, for the resolver.
    Name(String),
}

impl ToSocketAddrs for SocketAddr {
    fn lookup(&self) -> Lookup {
        Lookup::Addresses(vec![*self])
    }
}

macro_rules! into_address {
    ($($address:ty),*) => {$(
        impl ToSocketAddrs for $address {
            fn lookup(&self) -> Lookup {
                Lookup::Addresses(vec![SocketAddr::from(*self)])
            }
        }
    )*};
}
into_address!(
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16)
);

impl ToSocketAddrs for [SocketAddr] {
    fn lookup(&self) -> Lookup {
        Lookup::Addresses(self.to_vec())
    }
}

impl ToSocketAddrs for str {
    fn lookup(&self) -> Lookup {
        match self.parse() {
            Ok(address) => Lookup::Addresses(vec![address]),
            Err(_) => Lookup::Name(self.to_owned()),
        }
    }
}

impl ToSocketAddrs for String {
    fn lookup(&self) -> Lookup {
        self.as_str().lookup()
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn lookup(&self) -> Lookup {
        match self.0.parse::<IpAddr>() {
            Ok(ip) => Lookup::Addresses(vec![SocketAddr::new(ip, self.1)]),
            Err(_) => Lookup::Name(format!("{}:{}", self.0, self.1)),
        }
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn lookup(&self) -> Lookup {
        (**self).lookup()
    }
}

/// All addresses that `address` stands for; at least one.
pub(crate) async fn resolve(address: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    let addresses = match address.lookup() {
        Lookup::Addresses(addresses) => addresses,
        Lookup::Name(name) => look_up(name).await?,
    };
    if addresses.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "no address to use",
        ));
    }
    Ok(addresses)
}

/// The same kind of error, with a text that says which address it is about.
pub(crate) fn name_address(what: &str, address: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} {address}: {error}"))
}
