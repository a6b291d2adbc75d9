//! Socket addresses, as the kernel takes and gives them.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::mem::{self, offset_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net;

use libc::{c_int, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, sockaddr_un, socklen_t};

/// A `sockaddr` of any family, and its length.
///
/// ```
/// use selectors_core::sys::Address;
///
/// let address = "[::1]:80".parse().unwrap();
/// assert_eq!(Address::ip(address).to_ip(), Some(address));
/// ```
#[derive(Clone, Copy)]
pub struct Address {
    storage: sockaddr_storage,
    length: socklen_t,
}

// Whatever is written into the storage, or read out of it, fits.
const _: () = assert!(
    size_of::<sockaddr_in>() <= size_of::<sockaddr_storage>()
        && size_of::<sockaddr_in6>() <= size_of::<sockaddr_storage>()
        && size_of::<sockaddr_un>() <= size_of::<sockaddr_storage>()
        && align_of::<sockaddr_in>() <= align_of::<sockaddr_storage>()
        && align_of::<sockaddr_in6>() <= align_of::<sockaddr_storage>()
        && align_of::<sockaddr_un>() <= align_of::<sockaddr_storage>()
);

/// Where the name of a Unix socket begins.
const PATH: usize = offset_of!(sockaddr_un, sun_path);

impl Address {
    /// An address of IPv4 or IPv6.
    #[must_use]
    pub fn ip(address: std::net::SocketAddr) -> Address {
        let mut made = Address::unspecified();
        match address {
            std::net::SocketAddr::V4(v4) => {
                let raw = made.as_in();
                raw.sin_family = libc::AF_INET as _;
                raw.sin_port = v4.port().to_be();
                raw.sin_addr.s_addr = u32::from(*v4.ip()).to_be();
                made.length = size_of::<sockaddr_in>() as socklen_t;
            }
            std::net::SocketAddr::V6(v6) => {
                let raw = made.as_in6();
                raw.sin6_family = libc::AF_INET6 as _;
                raw.sin6_port = v6.port().to_be();
                raw.sin6_addr.s6_addr = v6.ip().octets();
                raw.sin6_flowinfo = v6.flowinfo();
                raw.sin6_scope_id = v6.scope_id();
                made.length = size_of::<sockaddr_in6>() as socklen_t;
            }
        }
        made
    }

    /// A file, or an abstract name.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an address without a name, which leads nowhere, and for one that is too
    /// long.
    pub fn unix(address: &net::SocketAddr) -> io::Result<Address> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        // A file's name ends with a zero, an abstract one begins with it.
        let (name, at, length) = match (abstract_name(address), address.as_pathname()) {
            (Some(name), _) => (name, 1, 1 + name.len()),
            (None, Some(path)) => {
                let path = path.as_os_str().as_bytes();
                (path, 0, path.len() + 1)
            }
            (None, None) => return refuse("an address without a name leads nowhere"),
        };
        let mut made = Address::unspecified();
        let raw = made.as_un();
        raw.sun_family = libc::AF_UNIX as _;
        if length > raw.sun_path.len() {
            return refuse("the name of a Unix socket is too long");
        }
        for (to, from) in raw.sun_path[at..].iter_mut().zip(name) {
            *to = *from as _;
        }
        made.length = (PATH + length) as socklen_t;
        Ok(made)
    }

    /// The address as std has it, if it is one of IPv4 or IPv6.
    #[must_use]
    pub fn to_ip(mut self) -> Option<std::net::SocketAddr> {
        match self.family()? {
            libc::AF_INET => {
                let raw = *self.as_in();
                let ip = Ipv4Addr::from(u32::from_be(raw.sin_addr.s_addr));
                Some(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into())
            }
            libc::AF_INET6 => {
                let raw = *self.as_in6();
                let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
                let port = u16::from_be(raw.sin6_port);
                Some(SocketAddrV6::new(ip, port, raw.sin6_flowinfo, raw.sin6_scope_id).into())
            }
            _ => None,
        }
    }

    /// The address as std has it, if it is one of a Unix socket: a file, an abstract name, or
    /// nothing at all. A peer's file may have a name that fills all the room that the kernel has, for
    /// which std has none: it is no error, and no name.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for one of another family.
    pub fn to_unix(mut self) -> io::Result<net::SocketAddr> {
        // Some systems give a socket without a name an address without a family.
        if self.family().is_some_and(|family| family != libc::AF_UNIX) {
            let message = "not the address of a Unix socket";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let length = (self.length as usize).saturating_sub(PATH);
        let path = self.as_un().sun_path.map(|byte| byte as u8);
        let path = &path[..length.min(path.len())];
        if let [0, name @ ..] = path {
            if let Some(named) = from_abstract_name(name) {
                return named;
            }
        }
        let end = path.iter().position(|byte| *byte == 0);
        let path = &path[..end.unwrap_or(path.len())];
        net::SocketAddr::from_pathname(OsStr::from_bytes(path))
            .or_else(|_| net::SocketAddr::from_pathname(""))
    }

    /// `AF_INET`, `AF_INET6`, `AF_UNIX` or another family; `None` if the kernel wrote nothing.
    #[must_use]
    pub fn family(&self) -> Option<c_int> {
        (self.length > 0).then_some(c_int::from(self.storage.ss_family))
    }

    /// All zeros, and as long as it can be: for the kernel to write into.
    pub(crate) fn unspecified() -> Address {
        Address {
            // SAFETY: all zeros is a valid sockaddr_storage: integers and arrays of them.
            storage: unsafe { mem::zeroed() },
            length: size_of::<sockaddr_storage>() as socklen_t,
        }
    }

    /// Where the kernel reads, and how much.
    pub(crate) fn as_ptr(&self) -> (*const sockaddr, socklen_t) {
        ((&raw const self.storage).cast(), self.length)
    }

    /// Where the kernel writes, and how much.
    pub(crate) fn as_mut_ptr(&mut self) -> (*mut sockaddr, &mut socklen_t) {
        ((&raw mut self.storage).cast(), &mut self.length)
    }

    /// So much of it the kernel has written.
    pub(crate) fn set_length(&mut self, length: socklen_t) {
        self.length = length;
    }

    fn as_in(&mut self) -> &mut sockaddr_in {
        // SAFETY: the storage is at least as large and as aligned, see above; and any bits are a
        // valid sockaddr_in.
        unsafe { &mut *(&raw mut self.storage).cast() }
    }

    fn as_in6(&mut self) -> &mut sockaddr_in6 {
        // SAFETY: as for `as_in`.
        unsafe { &mut *(&raw mut self.storage).cast() }
    }

    fn as_un(&mut self) -> &mut sockaddr_un {
        // SAFETY: as for `as_in`.
        unsafe { &mut *(&raw mut self.storage).cast() }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.to_ip(), self.to_unix()) {
            (Some(ip), _) => ip.fmt(f),
            (None, Ok(unix)) => unix.fmt(f),
            (None, Err(_)) => write!(f, "(family {})", self.storage.ss_family),
        }
    }
}

#[cfg(abstract_names)]
use std::os::linux::net::SocketAddrExt;

#[cfg(abstract_names)]
fn abstract_name(address: &net::SocketAddr) -> Option<&[u8]> {
    address.as_abstract_name()
}

#[cfg(abstract_names)]
fn from_abstract_name(name: &[u8]) -> Option<io::Result<net::SocketAddr>> {
    // It may be empty: an address without any name has not even the zero before it.
    Some(net::SocketAddr::from_abstract_name(name))
}

#[cfg(not(abstract_names))]
fn abstract_name(_: &net::SocketAddr) -> Option<&[u8]> {
    None
}

#[cfg(not(abstract_names))]
fn from_abstract_name(_: &[u8]) -> Option<io::Result<net::SocketAddr>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_as_it_went() {
        let longest = "x".repeat(107);
        for path in ["a", "/tmp/some file", &longest] {
            let address = net::SocketAddr::from_pathname(path).unwrap();
            let back = Address::unix(&address).unwrap().to_unix().unwrap();
            assert_eq!(back.as_pathname(), address.as_pathname());
            assert_eq!(Address::unix(&address).unwrap().to_ip(), None);
        }
    }

    #[cfg(abstract_names)]
    #[test]
    fn an_abstract_name_comes_back_as_it_went() {
        let longest = [b'x'; 107];
        for name in [b"".as_slice(), b"a", b"a\0b\0", &longest] {
            let address = net::SocketAddr::from_abstract_name(name).unwrap();
            let back = Address::unix(&address).unwrap().to_unix().unwrap();
            assert_eq!(back.as_abstract_name(), Some(name));
        }
    }

    /// Whoever connects or sends from such a file must not be an error at the other end.
    #[test]
    fn a_file_whose_name_std_has_no_room_for_is_no_name() {
        let mut full = Address::unspecified();
        full.as_un().sun_family = libc::AF_UNIX as _;
        full.as_un().sun_path.fill(b'x' as _);
        full.set_length(size_of::<sockaddr_un>() as _);
        assert!(full.to_unix().unwrap().is_unnamed());
        // As Linux tells it, with a zero behind.
        full.set_length(size_of::<sockaddr_un>() as socklen_t + 1);
        assert!(full.to_unix().unwrap().is_unnamed());
    }

    #[test]
    fn no_name_leads_nowhere_and_is_none() {
        let nameless = net::SocketAddr::from_pathname("").unwrap();
        let error = Address::unix(&nameless).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let mut silent = Address::unspecified();
        silent.set_length(0);
        assert!(silent.to_unix().unwrap().is_unnamed());
        assert_eq!(silent.to_ip(), None);
    }
}
