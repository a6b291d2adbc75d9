//! The `Copy` name of a key.

use std::os::fd::RawFd;

/// Names one registration: the fd number, and a generation that no other registration of the same
/// selector has.
///
/// A token outlives its key harmlessly: after `unregister` it finds nothing, even if the number
/// has been reused and registered again. Tokens are worth something only in the selector that
/// gave them out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Token {
    pub(crate) fd: RawFd,
    pub(crate) generation: u32,
}

impl Token {
    /// The token of no key: it finds nothing, in any selector. It stands where there is no key yet, in
    /// fewer bytes than an `Option`.
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, Token};
    ///
    /// let selector = DefaultSelector::<std::net::TcpStream, ()>::new()?;
    /// assert!(!selector.get_map().contains(Token::NONE));
    /// # std::io::Result::Ok(())
    /// ```
    pub const NONE: Token = Token {
        fd: -1,
        generation: 0,
    };

    /// The number of the fd, as it was at register.
    #[inline]
    #[must_use]
    pub const fn fd(self) -> RawFd {
        self.fd
    }

    /// The counter that tells registrations of one number apart.
    #[inline]
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// The token as one word, as a kernel carries it.
    #[inline]
    pub(crate) const fn pack(self) -> u64 {
        ((self.generation as u64) << 32) | (self.fd as u32 as u64)
    }

    /// The token out of the word that [`pack`](Token::pack) made.
    #[inline]
    pub(crate) const fn unpack(word: u64) -> Token {
        Token {
            fd: word as u32 as RawFd,
            generation: (word >> 32) as u32,
        }
    }
}
