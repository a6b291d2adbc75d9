//! Unregistering what is closed at once, which says the same to the kernel.

use crate::kernel::Kernel;
use crate::{Error, Selector, SelectorKey, Token};

impl<K: Kernel + ?Sized, F, D> Selector<K, F, D> {
    /// As [`unregister`](Self::unregister), for a file that the caller closes at once, before the next
    /// `select`. Where closing it tells the kernel all, as with epoll, no other call is made.
    ///
    /// That is so for a file that nobody else holds. If it lives on, by a dup(2), a fork(2) or in a
    /// message to another process, or if it is not closed, its next event has no key: nobody hears
    /// of it, and it costs building the set anew, one or two calls for each key; after the first
    /// such event, this is `unregister`. So it is once such a file is registered again under the number
    /// that it had.
    ///
    /// ```
    /// use selectors_core::{DefaultSelector, EVENT_READ};
    /// use std::{io::Write, time::Duration};
    ///
    /// let (near, mut far) = std::os::unix::net::UnixStream::pair()?;
    /// let mut selector = DefaultSelector::new()?;
    /// let duplicate = near.try_clone()?;
    /// let token = selector.register(near, EVENT_READ, ())?;
    /// drop(selector.unregister_to_close(token)?);
    /// // It lives on, against the promise, and is no event.
    /// far.write_all(b"x")?;
    /// assert_eq!(selector.select(&mut Vec::new(), Some(Duration::ZERO))?, 0);
    /// # drop(duplicate);
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// The same.
    pub fn unregister_to_close(&mut self, token: Token) -> Result<SelectorKey<F, D>, Error> {
        let entry = self.map.known(token)?;
        if entry.key.events.is_some() {
            self.kernel.delete_to_close(token, entry.interest)?;
        }
        self.remove(token)
    }
}
