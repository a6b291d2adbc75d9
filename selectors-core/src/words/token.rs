//! The `Copy` name of a key.

use crate::os::RawFd;

/// Names one registration: the fd number, and a generation that no other registration of the same
/// selector has.
///
/// A token outlives its key harmlessly: after `unregister` it finds nothing, even if the number
/// has been reused and registered again, however often. Tokens are worth something only in the
/// selector that gave them out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Token {
    pub(crate) fd: RawFd,
    /// The halves of the generation, the upper one first: 12 bytes in all, where a `u64` would
    /// make it 16.
    generation: [u32; 2],
}

const _: () = assert!(size_of::<Token>() == 12);

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
    pub const NONE: Token = Token::new(-1, 0);

    pub(crate) const fn new(fd: RawFd, generation: u64) -> Token {
        Token {
            fd,
            generation: [(generation >> 32) as u32, generation as u32],
        }
    }

    /// The number of the fd, as it was at register.
    #[must_use]
    pub const fn fd(self) -> RawFd {
        self.fd
    }

    /// The counter that tells registrations apart. It never comes round.
    #[must_use]
    pub const fn generation(self) -> u64 {
        ((self.generation[0] as u64) << 32) | self.generation[1] as u64
    }

    /// What a kernel carries of the token.
    pub(crate) const fn tag(self) -> Tag {
        Tag {
            fd: self.fd,
            generation: self.generation[1],
        }
    }
}

/// A token in one word, as a kernel carries it and gives it back with an event: the number, and
/// the lower half of the generation.
///
/// Half is enough: a kernel has a registration only for as long as the key lives, so what it says
/// is about the key that the number has now. The one exception is what a raw source leaves behind
/// that broke its promise, and there the half is one chance in 2^32 to take a stale event for a
/// fresh one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tag {
    pub(crate) fd: RawFd,
    pub(crate) generation: u32,
}

impl Tag {
    pub(crate) const fn pack(self) -> u64 {
        ((self.generation as u64) << 32) | (self.fd as u32 as u64)
    }

    /// The tag out of the word that [`pack`](Tag::pack) made.
    pub(crate) const fn unpack(word: u64) -> Tag {
        Tag {
            fd: word as u32 as RawFd,
            generation: (word >> 32) as u32,
        }
    }
}
