//! Addresses, as numbers or as names; names are looked up on a thread, never on the loop.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::thread;

/// What can be bound or connected to: the types that [`std::net::ToSocketAddrs`] accepts.
///
/// Numeric addresses resolve at once. A host name is looked up by the system's resolver on a
/// thread of its own, because that call blocks and has no other form.
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

/// Where the resolver's thread leaves its answer, or the waiting task its waker.
#[derive(Default)]
struct Answer {
    addresses: Option<io::Result<Vec<SocketAddr>>>,
    waker: Option<Waker>,
}

/// Dropping the future leaves the thread to finish alone; its answer is thrown away.
async fn look_up(name: String) -> io::Result<Vec<SocketAddr>> {
    let answer = Arc::new(Mutex::new(Answer::default()));
    let theirs = Arc::clone(&answer);
    thread::Builder::new()
        .name("resolver".to_owned())
        .spawn(move || {
            let addresses = std::net::ToSocketAddrs::to_socket_addrs(&name).map(Iterator::collect);
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
