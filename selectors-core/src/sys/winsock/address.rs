//! Socket addresses, as Winsock takes and gives them.

use std::fmt;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use windows_sys::Win32::Networking::WinSock as ws;

/// A `sockaddr` of IPv4 or IPv6, and its length.
///
/// ```
/// use selectors_core::sys::Address;
///
/// let address = "[::1]:80".parse().unwrap();
/// assert_eq!(Address::ip(address).to_ip(), Some(address));
/// ```
#[derive(Clone, Copy)]
pub struct Address {
    storage: ws::SOCKADDR_STORAGE,
    length: i32,
}

// Whatever is written into the storage, or read out of it, fits.
const _: () = assert!(
    size_of::<ws::SOCKADDR_IN>() <= size_of::<ws::SOCKADDR_STORAGE>()
        && size_of::<ws::SOCKADDR_IN6>() <= size_of::<ws::SOCKADDR_STORAGE>()
        && align_of::<ws::SOCKADDR_IN>() <= align_of::<ws::SOCKADDR_STORAGE>()
        && align_of::<ws::SOCKADDR_IN6>() <= align_of::<ws::SOCKADDR_STORAGE>()
);

impl Address {
    /// An address of IPv4 or IPv6.
    #[must_use]
    pub fn ip(address: SocketAddr) -> Address {
        let mut made = Address::unspecified();
        match address {
            SocketAddr::V4(v4) => {
                let raw = made.as_in();
                raw.sin_family = ws::AF_INET;
                raw.sin_port = v4.port().to_be();
                raw.sin_addr.S_un.S_addr = u32::from(*v4.ip()).to_be();
                made.length = size_of::<ws::SOCKADDR_IN>() as i32;
            }
            SocketAddr::V6(v6) => {
                let raw = made.as_in6();
                raw.sin6_family = ws::AF_INET6;
                raw.sin6_port = v6.port().to_be();
                raw.sin6_addr.u.Byte = v6.ip().octets();
                raw.sin6_flowinfo = v6.flowinfo();
                raw.Anonymous.sin6_scope_id = v6.scope_id();
                made.length = size_of::<ws::SOCKADDR_IN6>() as i32;
            }
        }
        made
    }

    /// The address as std has it, if it is one of IPv4 or IPv6.
    #[must_use]
    pub fn to_ip(mut self) -> Option<SocketAddr> {
        match self.family()? as u16 {
            ws::AF_INET => {
                let raw = *self.as_in();
                // SAFETY: any bits are an u32, whichever field of the union was written.
                let ip = unsafe { raw.sin_addr.S_un.S_addr };
                let ip = Ipv4Addr::from(u32::from_be(ip));
                Some(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into())
            }
            ws::AF_INET6 => {
                let raw = *self.as_in6();
                // SAFETY: any bits are bytes, whichever field of the union was written.
                let ip = Ipv6Addr::from(unsafe { raw.sin6_addr.u.Byte });
                // SAFETY: any bits are an u32.
                let scope = unsafe { raw.Anonymous.sin6_scope_id };
                let port = u16::from_be(raw.sin6_port);
                Some(SocketAddrV6::new(ip, port, raw.sin6_flowinfo, scope).into())
            }
            _ => None,
        }
    }

    /// `AF_INET`, `AF_INET6` or another family; `None` if nothing was written.
    #[must_use]
    pub fn family(&self) -> Option<i32> {
        // The length stays as it was where nothing is written, as by WSARecvFrom() from a stream.
        let family = self.storage.ss_family;
        (family != ws::AF_UNSPEC).then_some(i32::from(family))
    }

    /// All zeros, and as long as it can be: for the call to write into.
    pub(crate) fn unspecified() -> Address {
        Address {
            // SAFETY: all zeros is a valid SOCKADDR_STORAGE: integers and arrays of them.
            storage: unsafe { mem::zeroed() },
            length: size_of::<ws::SOCKADDR_STORAGE>() as i32,
        }
    }

    /// Where the call reads, and how much.
    pub(crate) fn as_ptr(&self) -> (*const ws::SOCKADDR, i32) {
        ((&raw const self.storage).cast(), self.length)
    }

    /// Where the call writes, and how much.
    pub(crate) fn as_mut_ptr(&mut self) -> (*mut ws::SOCKADDR, &mut i32) {
        ((&raw mut self.storage).cast(), &mut self.length)
    }

    fn as_in(&mut self) -> &mut ws::SOCKADDR_IN {
        // SAFETY: the storage is at least as large and as aligned, see above; and any bits are a
        // valid SOCKADDR_IN.
        unsafe { &mut *(&raw mut self.storage).cast() }
    }

    fn as_in6(&mut self) -> &mut ws::SOCKADDR_IN6 {
        // SAFETY: as for `as_in`.
        unsafe { &mut *(&raw mut self.storage).cast() }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_ip() {
            Some(ip) => ip.fmt(f),
            None => write!(f, "(family {})", self.storage.ss_family),
        }
    }
}
