//! The table of keys, indexed by fd.

use std::fmt;

use super::SelectorKey;
use crate::os::RawFd;
use crate::table::Table;
use crate::words::Tag;
use crate::{Error, Interest, Token};

/// The registered keys of a selector, by token and by number: Python's `get_map()`.
///
/// The kernel hands out the lowest free number, so numbers are small and dense, and a plain array
/// finds a key with one comparison and no hash. Its price is that iteration follows the numbers
/// and not the order of registration, and that the array is as long as the highest number. What a
/// burst of registrations needed is given back when they are gone.
pub struct KeyMap<F, D> {
    entries: Table<Entry<F, D>>,
    len: usize,
}

/// One registration: the key, and what the selector itself must know about it.
pub(crate) struct Entry<F, D> {
    pub(crate) generation: u64,
    /// What the key wants to hear of, computed when its interest changes and not at each event.
    pub(crate) mask: u16,
    /// The interest in the kernel, or the last one while the key is parked.
    pub(crate) interest: Interest,
    pub(crate) key: SelectorKey<F, D>,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(
    size_of::<Option<Entry<[usize; 2], usize>>>() == 48,
    "an idle connection pays for each byte"
);

impl<F, D> Entry<F, D> {
    /// The entry's token.
    pub(crate) fn token(&self) -> Token {
        Token::new(self.key.fd, self.generation)
    }

    /// Records what the kernel now watches; `None` is parked.
    pub(crate) fn set_interest(&mut self, interest: Option<Interest>) {
        self.key.events = interest.map(|interest| interest.events);
        self.mask = interest.map_or(0, Interest::mask);
        self.interest = interest.unwrap_or(self.interest);
    }
}

impl<F, D> Default for KeyMap<F, D> {
    fn default() -> KeyMap<F, D> {
        KeyMap {
            entries: Table::default(),
            len: 0,
        }
    }
}

impl<F, D> KeyMap<F, D> {
    /// How many keys there are, parked ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The key of a token; `None` once it is unregistered.
    #[must_use]
    pub fn get(&self, token: Token) -> Option<&SelectorKey<F, D>> {
        self.entry(token).map(|entry| &entry.key)
    }

    /// The key of a number, with its token.
    #[must_use]
    pub fn get_by_fd(&self, fd: RawFd) -> Option<(Token, &SelectorKey<F, D>)> {
        let entry = self.entries.get(fd)?;
        Some((entry.token(), &entry.key))
    }

    /// Whether the token has a key.
    #[must_use]
    pub fn contains(&self, token: Token) -> bool {
        self.entry(token).is_some()
    }

    /// All keys with their tokens, in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Token, &SelectorKey<F, D>)> {
        self.entries().map(|entry| (entry.token(), &entry.key))
    }

    /// All registered numbers, in order.
    pub fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.entries().map(|entry| entry.key.fd)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<F, D>> {
        self.entries.iter()
    }

    /// The entry that an event is for. On the hot path of every one: one bounds check, one
    /// comparison.
    pub(crate) fn tagged(&self, tag: Tag) -> Option<&Entry<F, D>> {
        let entry = self.entries.get(tag.fd);
        entry.filter(|entry| entry.generation as u32 == tag.generation)
    }

    pub(crate) fn entry(&self, token: Token) -> Option<&Entry<F, D>> {
        let entry = self.entries.get(token.fd);
        entry.filter(|entry| entry.generation == token.generation())
    }

    pub(crate) fn entry_mut(&mut self, token: Token) -> Option<&mut Entry<F, D>> {
        let entry = self.entries.get_mut(token.fd);
        entry.filter(|entry| entry.generation == token.generation())
    }

    /// The same for a verb that needs a key.
    pub(crate) fn known(&mut self, token: Token) -> Result<&mut Entry<F, D>, Error> {
        self.entry_mut(token).ok_or(Error::NotRegistered(token.fd))
    }

    /// Puts a new entry in; the caller has made sure that its place is free.
    pub(crate) fn insert(&mut self, entry: Entry<F, D>) {
        self.entries.insert(entry.key.fd, entry);
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, token: Token) -> Option<Entry<F, D>> {
        self.entry(token)?;
        self.len -= 1;
        self.entries.remove(token.fd)
    }

    pub(crate) fn into_keys(self) -> Vec<SelectorKey<F, D>> {
        self.entries.into_values().map(|entry| entry.key).collect()
    }
}

impl<F: fmt::Debug, D: fmt::Debug> fmt::Debug for KeyMap<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(_, key)| (key.fd, key)))
            .finish()
    }
}
