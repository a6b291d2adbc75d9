//! For tests (feature `fault`): counts the system calls of this thread and answers them with an
//! error on request, in the kernel's place.
//!
//! ```
//! use selectors_core::sys::{fault, fd};
//! use std::os::fd::AsFd;
//!
//! let (near, _far) = std::os::unix::net::UnixStream::pair()?;
//! fault::inject("ioctl_fionbio", 1);
//! assert!(fd::ioctl_fionbio(near.as_fd(), true).is_err());
//! assert!(fd::ioctl_fionbio(near.as_fd(), true).is_ok());
//! # std::io::Result::Ok(())
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

#[derive(Default)]
struct Account {
    counts: HashMap<&'static str, usize>,
    /// Errors to answer with: which call, how many calls to let through first, errno.
    planned: Vec<(&'static str, usize, i32)>,
}

thread_local! {
    static ACCOUNT: RefCell<Account> = RefCell::default();
}

/// Called before each system call.
pub(crate) fn enter(name: &'static str) -> io::Result<()> {
    let counted = ACCOUNT.try_with(|account| {
        let mut account = account.borrow_mut();
        *account.counts.entry(name).or_default() += 1;
        for index in 0..account.planned.len() {
            let (call, wait, errno) = &mut account.planned[index];
            if *call != name {
                continue;
            }
            if *wait > 0 {
                *wait -= 1;
                continue;
            }
            let errno = *errno;
            account.planned.remove(index);
            return Err(io::Error::from_raw_os_error(errno));
        }
        Ok(())
    });
    // A thread that ends, and has lost its account, makes its last calls uncounted.
    counted.unwrap_or(Ok(()))
}

/// What a double of a kernel calls is neither counted nor answered.
#[cfg(all(test, doubles))]
pub(crate) fn aside<R>(call: impl FnOnce() -> R) -> R {
    let account = ACCOUNT.take();
    let answer = call();
    ACCOUNT.set(account);
    answer
}

/// The next call of this name on this thread fails with this errno.
pub fn inject(name: &'static str, errno: i32) {
    inject_after(name, 0, errno);
}

/// The call of this name after `skip` others fails with this errno.
pub fn inject_after(name: &'static str, skip: usize, errno: i32) {
    ACCOUNT.with_borrow_mut(|account| account.planned.push((name, skip, errno)));
}

/// No call fails any more.
pub fn clear() {
    ACCOUNT.with_borrow_mut(|account| account.planned.clear());
}

/// How often this thread has made the call.
#[must_use]
pub fn count(name: &str) -> usize {
    ACCOUNT.with_borrow(|account| account.counts.get(name).copied().unwrap_or(0))
}

/// How many system calls this thread has made.
#[must_use]
pub fn total() -> usize {
    ACCOUNT.with_borrow(|account| account.counts.values().sum())
}
