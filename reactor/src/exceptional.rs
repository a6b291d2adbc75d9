//! Waiting for what is neither READ nor WRITE: urgent data, errors, hang-ups.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use selectors_core::Readiness;
use selectors_core::sys::poll::poll;

use crate::async_fd::Async;

impl<T: AsFd + 'static> Async<T> {
    /// Waits until the fd has urgent data or an exceptional condition of its device
    /// ([`PRIORITY`](Readiness::PRIORITY)), an [`ERROR`](Readiness::ERROR) or a
    /// [`HANGUP`](Readiness::HANGUP), and says which. Bytes that wait to be read do not end it.
    ///
    /// For urgent data of TCP, for the GPIO and hwmon files of sysfs, and for the writing end of a
    /// pipe that wants to know when its reader goes. The condition lasts until the cause is gone;
    /// who asks again before is answered at once.
    ///
    /// It watches a duplicate of the fd, so that reading and writing cost what they always do: a
    /// wait needs a number of its own. select(2) tells of urgent data alone.
    ///
    /// Dropping the future changes nothing.
    ///
    /// # Errors
    ///
    /// What poll(2) and dup(2) answer; `Unsupported` where the backend knows no urgent data.
    ///
    /// ```
    /// use reactor::Async;
    /// use std::os::unix::net::UnixStream;
    ///
    /// executor::block_on(async {
    ///     let (near, far) = UnixStream::pair()?;
    ///     let near = Async::nonblocking(near)?;
    ///     drop(far);
    ///     assert!(near.exceptional().await?.is_hangup());
    ///     std::io::Result::Ok(())
    /// })??;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn exceptional(&self) -> io::Result<Readiness> {
        let now = conditions(self)?;
        if !now.is_empty() {
            return Ok(now);
        }
        let watch: Async<OwnedFd> = self.beside(self.as_fd().try_clone_to_owned()?);
        watch.register_for_exceptions()?;
        let lasting = |fd: &OwnedFd| match conditions(fd)? {
            now if now.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            now => Ok(now),
        };
        watch.read_with(lasting).await
    }
}

/// poll(2) without waiting: what holds at this moment.
fn conditions(fd: &impl AsFd) -> io::Result<Readiness> {
    let mut asked = [libc::pollfd {
        fd: fd.as_fd().as_raw_fd(),
        events: libc::POLLPRI,
        revents: 0,
    }];
    poll(&mut asked, 0)?;
    let mut now = Readiness::EMPTY;
    for (flag, readiness) in [
        (libc::POLLPRI, Readiness::PRIORITY),
        (libc::POLLERR, Readiness::ERROR),
        (libc::POLLHUP, Readiness::HANGUP),
    ] {
        if asked[0].revents & flag != 0 {
            now = now | readiness;
        }
    }
    Ok(now)
}
