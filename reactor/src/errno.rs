//! Errors that say what was tried, and keep the kernel's errno.
//!
//! An [`io::Error`] of std has an errno or a text, not both. Ours that have a text keep the
//! kernel's answer as their source, and its kind as their own.

use std::error::Error;
use std::fmt;
use std::io;

/// The kernel's errno, whether std shows it ([`io::Error::raw_os_error`]) or an error of ours has it
/// inside, behind a text that says what was tried.
///
/// It tells apart what has no [`io::ErrorKind`]: EMFILE, ENOEXEC, EMSGSIZE and many others.
///
/// ```
/// use reactor::{errno_of, net::TcpListener};
///
/// executor::block_on(async {
///     let first = TcpListener::bind("127.0.0.1:0").await.unwrap();
///     let error = TcpListener::bind(first.local_addr().unwrap()).await.unwrap_err();
///     assert_eq!(error.raw_os_error(), None);
///     assert_eq!(errno_of(&error), Some(libc::EADDRINUSE));
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[must_use]
pub fn errno_of(error: &io::Error) -> Option<i32> {
    let mut errno = error.raw_os_error();
    let mut inner = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    while let (None, Some(error)) = (errno, inner) {
        let kernels = error.downcast_ref::<io::Error>();
        errno = kernels.and_then(errno_of);
        inner = error.source();
    }
    errno
}

/// The same error, of the same kind, with a text that says what was tried.
pub(crate) fn tried(what: impl fmt::Display, source: io::Error) -> io::Error {
    tell(source.kind(), &what, source)
}

/// As [`tried`], of another kind.
pub(crate) fn kind_of_trouble(
    kind: io::ErrorKind,
    what: impl fmt::Display,
    source: io::Error,
) -> io::Error {
    tell(kind, &what, source)
}

/// Whatever the text is made of, in a program once.
#[cold]
#[inline(never)]
fn tell(kind: io::ErrorKind, what: &dyn fmt::Display, source: io::Error) -> io::Error {
    let what = what.to_string();
    io::Error::new(kind, Tried { what, source })
}

/// As [`tried`], where EAGAIN says that something is used up. Its kind, WouldBlock, would be taken for
/// a call to be made again at once.
pub(crate) fn shortage(what: impl fmt::Display, source: io::Error) -> io::Error {
    let kind = match source.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::Other,
        kind => kind,
    };
    kind_of_trouble(kind, what, source)
}

/// A selector's error with its text, which names the call and the fd. (Its own conversion keeps the
/// errno alone.)
#[cold]
pub(crate) fn of_selector(error: selectors_core::Error) -> io::Error {
    io::Error::new(error.kind(), error)
}

/// What was tried, and what came of it.
#[derive(Debug)]
struct Tried {
    what: String,
    source: io::Error,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.source)
    }
}

impl Error for Tried {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use selectors_core::os::errno;

    use super::*;

    #[test]
    fn a_text_hides_neither_errno_nor_kind() {
        let kernels = || io::Error::from_raw_os_error(errno::EMSGSIZE);
        let once = tried("send to x", kernels());
        let twice = tried("greet", tried(format_args!("send to {}", 'x'), kernels()));
        for error in [kernels(), once, twice] {
            assert_eq!(errno_of(&error), Some(errno::EMSGSIZE), "{error}");
            assert_eq!(error.kind(), kernels().kind(), "{error}");
        }
        assert_eq!(
            tried("greet", tried("send to x", kernels())).to_string(),
            format!("greet: send to x: {}", kernels())
        );
        let selectors = of_selector(selectors_core::Error::Os {
            op: "epoll_wait",
            fd: None,
            source: kernels(),
        });
        assert_eq!(errno_of(&selectors), Some(errno::EMSGSIZE));
        assert!(selectors.to_string().starts_with("epoll_wait: "));
        assert_eq!(errno_of(&io::ErrorKind::NotFound.into()), None);
        assert_eq!(
            errno_of(&tried("look", io::ErrorKind::NotFound.into())),
            None
        );
    }
}
