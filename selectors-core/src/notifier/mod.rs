//! Wakes a selector that waits, from any thread.
//!
//! A notifier is registered like any other file; it calls `sys` and nothing else of this crate.

use std::sync::Arc;

use crate::Error;

mod bytes;
#[cfg(winsock)]
mod pair;
#[cfg(not(winsock))]
mod pipe;
#[cfg(any(kqueue, all(test, doubles)))]
mod user;

#[cfg(winsock)]
use pair::Pair as Bell;
#[cfg(not(any(kqueue, winsock)))]
use pipe::Pipe as Bell;
#[cfg(kqueue)]
use user::UserOrPipe as Bell;

/// A flag with an fd: [`notify`](Notifier::notify) makes it readable, [`clear`](Notifier::clear)
/// takes that back. Register it for READ; in edge mode it need never be cleared.
///
/// Who waits keeps the notifier; who shall only end the wait gets a [`handle`](Notifier::handle).
///
/// An eventfd on Linux, a kqueue with a user event on the BSDs and macOS; a pipe elsewhere, and
/// where these are refused.
///
/// ```
/// use selectors_core::{DefaultSelector, EVENT_READ, Notifier};
///
/// let notifier = Notifier::new()?;
/// let mut selector = DefaultSelector::new()?;
/// selector.register(&notifier, EVENT_READ, ())?;
///
/// let handle = notifier.handle();
/// std::thread::spawn(move || handle.notify());
/// let mut ready = Vec::new();
/// selector.select(&mut ready, None)?;
/// assert_eq!(ready.len(), 1);
/// # Ok::<(), selectors_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Notifier(Arc<Bell>);

impl Notifier {
    /// A new notifier, not notified.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyFiles`](crate::Refusal::TooManyFiles) at the limit of open files.
    pub fn new() -> Result<Notifier, Error> {
        #[cfg(eventfd)]
        let bell = Bell::eventfd();
        #[cfg(not(eventfd))]
        let bell = Bell::new();
        Ok(Notifier(Arc::new(bell?)))
    }

    /// Makes the fd readable. May be called from any thread, any number of times.
    ///
    /// # Errors
    ///
    /// What the kernel says; that a counter or a pipe is full is no error, because then the fd is
    /// readable already.
    pub fn notify(&self) -> Result<(), Error> {
        self.0.notify()
    }

    /// Takes all notifications back; says whether there was one.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn clear(&self) -> Result<bool, Error> {
        self.0.clear()
    }

    /// What others get: it can notify, and nothing else.
    #[must_use]
    pub fn handle(&self) -> NotifyHandle {
        NotifyHandle(Arc::clone(&self.0))
    }
}

crate::has_fd!([] Notifier, 0);

/// Notifies a [`Notifier`] from any thread and can do nothing else: whoever has it cannot take a
/// notification away, nor wait for one. Clones are cheap; the fd lives as long as one of them does.
///
/// ```compile_fail
/// # let notifier = selectors_core::Notifier::new()?;
/// notifier.handle().clear(); // no method named `clear`
/// # Ok::<(), selectors_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NotifyHandle(Arc<Bell>);

impl NotifyHandle {
    /// See [`Notifier::notify`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn notify(&self) -> Result<(), Error> {
        self.0.notify()
    }
}

#[cfg(all(test, doubles))]
pub(crate) mod tests {
    //! The same promises, of every kind of signal.

    use std::os::fd::AsFd;

    use crate::kernel::{Epoll, Kernel, Kqueue, Open, Poll};
    use crate::{EVENT_READ, Mode, Selector};

    macro_rules! on_every_signal {
        ($($test:ident: $kernel:ty, $mode:expr);+ $(;)?) => {
            $(
                #[test]
                fn $test() {
                    notify_and_clear(&super::pipe::Pipe::eventfd().unwrap(), <$kernel>::open(), $mode);
                    notify_and_clear(&super::pipe::Pipe::new().unwrap(), <$kernel>::open(), $mode);
                    notify_and_clear(&super::user::UserOrPipe::new().unwrap(), <$kernel>::open(), $mode);
                }
            )+
        };
    }

    on_every_signal!(
        notifier_of_every_kind_wakes_poll: Poll, Mode::Level;
        notifier_of_every_kind_wakes_epoll: Epoll, Mode::Level;
        notifier_of_every_kind_wakes_kqueue: Kqueue, Mode::Level;
        notifier_of_every_kind_wakes_epoll_by_edge: Epoll, Mode::Edge;
        notifier_of_every_kind_wakes_kqueue_by_edge: Kqueue, Mode::Edge;
    );

    /// A notifier that is a pipe, whatever the system has.
    pub(crate) fn pipe_notifier() -> super::pipe::Pipe {
        super::pipe::Pipe::new().unwrap()
    }

    /// A notifier by a user event, or what stands in for it.
    pub(crate) fn user_notifier() -> Result<super::user::UserOrPipe, crate::Error> {
        super::user::UserOrPipe::new()
    }

    trait Signal: AsFd {
        fn notify(&self);
        fn clear(&self) -> bool;
    }

    macro_rules! signal {
        ($($kind:ty),+) => {
            $(
                impl Signal for $kind {
                    fn notify(&self) {
                        <$kind>::notify(self).unwrap();
                    }

                    fn clear(&self) -> bool {
                        <$kind>::clear(self).unwrap()
                    }
                }
            )+
        };
    }

    signal!(super::pipe::Pipe, super::user::UserOrPipe);

    fn notify_and_clear<S: Signal, K: Kernel>(
        signal: &S,
        kernel: Result<K, crate::Error>,
        mode: Mode,
    ) {
        let mut selector = Selector::from_kernel(kernel.unwrap());
        selector
            .register_with(signal, EVENT_READ, mode, ())
            .unwrap();
        let mut ready = Vec::new();
        let mut now = || {
            selector
                .select(&mut ready, Some(std::time::Duration::ZERO))
                .unwrap()
        };
        assert!(!signal.clear());
        assert_eq!(now(), 0);
        for _ in 0..3 {
            // However often it is notified, it is one event and one clear.
            signal.notify();
            signal.notify();
            assert_eq!(now(), 1);
            assert_eq!(now(), usize::from(!mode.is_edge()));
            assert!(signal.clear());
            assert!(!signal.clear());
            assert_eq!(now(), 0);
        }
    }

    #[test]
    fn notifier_falls_back_to_a_pipe_without_user_events() {
        crate::sys::fault::inject("kevent", libc::EINVAL);
        let signal = super::user::UserOrPipe::new().unwrap();
        assert!(matches!(signal, super::user::UserOrPipe::Pipe(_)));
        notify_and_clear(&signal, Poll::open(), Mode::Level);
    }

    #[test]
    fn notifier_falls_back_to_a_pipe_where_eventfds_are_withheld() {
        for errno in [libc::ENOSYS, libc::EPERM, libc::ENODEV] {
            crate::sys::fault::inject("eventfd", errno);
            let signal = super::pipe::Pipe::eventfd().unwrap();
            assert!(signal.writer.is_some());
            notify_and_clear(&signal, Poll::open(), Mode::Level);
        }
        crate::sys::fault::inject("eventfd", libc::EMFILE);
        let refused = super::pipe::Pipe::eventfd().unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
    }

    #[test]
    fn notifier_handle_crosses_threads_and_outlives_the_notifier() {
        fn crosses<T: Send + Sync + Clone + 'static>(_: &T) {}
        let notifier = super::Notifier::new().unwrap();
        let handle = notifier.handle();
        crosses(&handle);
        handle.clone().notify().unwrap();
        assert!(notifier.clear().unwrap());
        drop(notifier);
        handle.notify().unwrap();
    }

    #[test]
    fn notifier_with_a_full_pipe_is_still_notified() {
        let signal = super::pipe::Pipe::new().unwrap();
        for _ in 0..100_000 {
            signal.notify().unwrap();
        }
        assert!(signal.clear().unwrap());
        assert!(!signal.clear().unwrap());
    }
}
