//! Addresses, as numbers or as names; names are looked up on a thread, never on the loop.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::errno::errno_of;
use crate::heart::driven::Begun;
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

impl ToSocketAddrs for (String, u16) {
    fn lookup(&self) -> Lookup {
        (self.0.as_str(), self.1).lookup()
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn lookup(&self) -> Lookup {
        (**self).lookup()
    }
}

/// All addresses that `host` stands for, at least one, in the order in which the system's resolver gives
/// them. Numbers stand for themselves; a name is looked up off the loop.
///
/// `connect` and `bind` do this by themselves. Dropping the future leaves a look-up that has begun to finish
/// alone.
///
/// # Errors
///
/// What the resolver answers; the error names the host.
///
/// # Panics
///
/// If this thread has entered no reactor.
///
/// ```
/// use reactor::net::lookup_host;
///
/// executor::block_on(async {
///     let found = lookup_host(("localhost".to_owned(), 80)).await?;
///     assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 80));
///     std::io::Result::Ok(())
/// })??;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn lookup_host(host: impl ToSocketAddrs) -> impl Future<Output = io::Result<Vec<SocketAddr>>> {
    Begun::new(async move { resolve(host.lookup()).await })
}

/// All addresses that `address` stands for; at least one.
pub(crate) async fn resolve(found: Lookup) -> io::Result<Vec<SocketAddr>> {
    let addresses = match found {
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

/// What `attempt` makes of the first address of `address` that it succeeds with; else the error of the
/// last one, which says what was tried and with which.
pub(crate) async fn first_of<R>(
    what: &'static str,
    address: impl ToSocketAddrs,
    attempt: impl AsyncFn(SocketAddr) -> io::Result<R>,
) -> io::Result<R> {
    let mut last = None;
    for address in resolve(address.lookup()).await? {
        match attempt(address).await {
            Ok(made) => return Ok(made),
            Err(error) => last = Some(name_address(what, address, error)),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
}

/// An error of the kernel, and the address that it is about. It is inside the [`io::Error`]s of
/// `bind` and `connect`, whose kind is that of the kernel's.
///
/// ```
/// use reactor::net::{AddressError, TcpListener};
///
/// executor::block_on(async {
///     let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
///     let address = first.local_addr().unwrap();
///     let error = TcpListener::bind(address).await.unwrap_err();
///     assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
///     let about = error.get_ref().unwrap().downcast_ref::<AddressError>().unwrap();
///     assert_eq!(about.address(), address);
///     assert!(about.raw_os_error().is_some());
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct AddressError {
    what: &'static str,
    address: SocketAddr,
    source: io::Error,
}

impl AddressError {
    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The kernel's errno.
    #[must_use]
    pub fn raw_os_error(&self) -> Option<i32> {
        errno_of(&self.source)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.what, self.address, self.source)
    }
}

impl std::error::Error for AddressError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The same kind of error, with a text that says which address it is about.
pub(crate) fn name_address(
    what: &'static str,
    address: SocketAddr,
    source: io::Error,
) -> io::Error {
    let kind = source.kind();
    io::Error::new(
        kind,
        AddressError {
            what,
            address,
            source,
        },
    )
}
