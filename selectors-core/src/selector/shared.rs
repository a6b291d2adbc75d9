//! A selector that other threads change while one of them waits.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Begin, DefaultSelector, RegisterError, SelectorKey};
use crate::os::{AsFd, AsRawFd};
use crate::{Backend, EVENT_READ, Error, Event, Events, Interest, Notifier, Token};

/// A selector behind a shared reference: while one thread is in [`select`](Self::select), others
/// register, modify, park and unregister, as with Python's selectors, mio's registry and polling.
///
/// Whoever changes something ends the wait for the moment of the change, unseen by who waits; while
/// nobody waits it costs a lock and nothing else. One thread waits at a time: a second `select`
/// begins when the first is over. Share it by reference or in an [`Arc`](std::sync::Arc).
///
/// # Panics
///
/// If it is called by the closure of its own [`with`](Self::with), whichever the verb.
///
/// ```
/// use selectors_core::{EVENT_READ, SharedSelector};
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
///
/// let selector = SharedSelector::new()?;
/// let (near, mut far) = UnixStream::pair()?;
/// far.write_all(b"x")?;
/// std::thread::scope(|scope| {
///     let waiter = scope.spawn(|| {
///         let mut ready = Vec::new();
///         selector.select(&mut ready, None).map(|_| ready[0].token)
///     });
///     let token = selector.register(near, EVENT_READ, "from another thread")?;
///     assert_eq!(waiter.join().unwrap()?, token);
///     assert_eq!(selector.unregister(token)?.data, "from another thread");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct SharedSelector<F, D> {
    selector: Mutex<DefaultSelector<FileOrNotifier<F>, Option<D>>>,
    /// Told when the last who wanted to change something has done it.
    changed: Condvar,
    /// How many want to change something.
    changing: AtomicUsize,
    /// Whether somebody is in the kernel's wait.
    waits: AtomicBool,
    /// The thread whose closure [`with`](Self::with) calls, or nobody.
    looks: AtomicUsize,
    /// Ends that wait. It is dropped after the selector that watches it.
    notifier: Notifier,
    notified: Token,
}

/// What the selector watches: the file objects, and the notifier.
enum FileOrNotifier<F> {
    File(F),
    Notifier,
}

impl<F: AsFd, D> SharedSelector<F, D> {
    /// One on the best backend that works here.
    ///
    /// # Errors
    ///
    /// As [`DefaultSelector::new`] and [`Notifier::new`].
    pub fn new() -> Result<Self, Error> {
        DefaultSelector::new().and_then(Self::of)
    }

    /// One on this backend.
    ///
    /// # Errors
    ///
    /// As [`Backend::selector`] and [`Notifier::new`].
    pub fn on(backend: Backend) -> Result<Self, Error> {
        backend.selector().and_then(Self::of)
    }

    fn of(mut selector: DefaultSelector<FileOrNotifier<F>, Option<D>>) -> Result<Self, Error> {
        let (notifier, interest) = (Notifier::new()?, Interest::new(EVENT_READ));
        let notified =
            selector.register_fd(notifier.as_fd(), FileOrNotifier::Notifier, interest, None)?;
        Ok(SharedSelector {
            selector: Mutex::new(selector),
            changed: Condvar::new(),
            changing: AtomicUsize::new(0),
            waits: AtomicBool::new(false),
            looks: AtomicUsize::new(NOBODY),
            notifier,
            notified,
        })
    }

    /// As [`Selector::register`](crate::Selector::register).
    ///
    /// # Errors
    ///
    /// The same, and gives back what was handed in.
    #[track_caller]
    pub fn register(
        &self,
        fileobj: F,
        events: Events,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        self.register_interest(fileobj, Interest::new(events), data)
    }

    /// As [`Selector::register_interest`](crate::Selector::register_interest).
    ///
    /// # Errors
    ///
    /// The same, and gives back what was handed in.
    #[track_caller]
    pub fn register_interest(
        &self,
        fileobj: F,
        interest: Interest,
        data: D,
    ) -> Result<Token, RegisterError<F, D>> {
        // `as_fd` is the caller's code, and runs before the lock is taken.
        let fd = fileobj.as_fd().as_raw_fd();
        self.change(|selector| {
            selector
                .enter(
                    fd,
                    FileOrNotifier::File(fileobj),
                    interest,
                    Begin::Watched,
                    Some(data),
                )
                .map_err(|failed| {
                    let (FileOrNotifier::File(fileobj), Some(data)) = (failed.fileobj, failed.data)
                    else {
                        unreachable!("both were handed in");
                    };
                    RegisterError {
                        error: failed.error,
                        fileobj,
                        data,
                    }
                })
        })
    }

    /// As [`Selector::modify`](crate::Selector::modify).
    ///
    /// # Errors
    ///
    /// The same.
    #[track_caller]
    pub fn modify(&self, token: Token, events: Events) -> Result<(), Error> {
        self.own(token)?;
        self.change(|selector| selector.modify(token, events))
    }

    /// As [`Selector::modify_interest`](crate::Selector::modify_interest).
    ///
    /// # Errors
    ///
    /// The same.
    #[track_caller]
    pub fn modify_interest(&self, token: Token, interest: Interest) -> Result<(), Error> {
        self.own(token)?;
        self.change(|selector| selector.modify_interest(token, interest))
    }

    /// As [`Selector::park`](crate::Selector::park).
    ///
    /// # Errors
    ///
    /// The same.
    #[track_caller]
    pub fn park(&self, token: Token) -> Result<(), Error> {
        self.own(token)?;
        self.change(|selector| selector.park(token))
    }

    /// As [`Selector::unregister`](crate::Selector::unregister): when it returns, nobody waits for this
    /// file any more. An event that a `select` has reported before stays in its buffer.
    ///
    /// # Errors
    ///
    /// The same.
    #[track_caller]
    pub fn unregister(&self, token: Token) -> Result<SelectorKey<F, D>, Error> {
        self.own(token)?;
        let key = self.change(|selector| selector.unregister(token))?;
        match (key.fileobj, key.data) {
            (FileOrNotifier::File(fileobj), Some(data)) => Ok(SelectorKey {
                fileobj,
                fd: key.fd,
                events: key.events,
                data,
            }),
            _ => unreachable!("the notifier's token was refused"),
        }
    }

    /// Looks at the file object and the data of a key; `None` once it is unregistered. It ends the wait
    /// for that moment, as every change does.
    ///
    /// The closure holds the lock: whoever changes or waits meanwhile stands still. What it finds and
    /// wants to do with the selector, it returns, and that is done afterwards.
    ///
    /// ```
    /// use selectors_core::{EVENT_WRITE, SharedSelector};
    ///
    /// let selector = SharedSelector::new()?;
    /// let (near, _far) = std::os::unix::net::UnixStream::pair()?;
    /// let token = selector.register(near, EVENT_WRITE, 0)?;
    /// let counted = selector.with(token, |_, count| {
    ///     *count += 1;
    ///     *count
    /// });
    /// if counted == Some(1) {
    ///     selector.unregister(token)?;
    /// }
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the closure calls this selector.
    #[track_caller]
    pub fn with<T>(&self, token: Token, look: impl FnOnce(&F, &mut D) -> T) -> Option<T> {
        self.change(|selector| {
            let entry = selector.map.entry_mut(token)?;
            match (&entry.key.fileobj, &mut entry.key.data) {
                (FileOrNotifier::File(file), Some(data)) => {
                    self.looks.store(this_thread(), Ordering::Relaxed);
                    let _over = Over(&self.looks);
                    Some(look(file, data))
                }
                _ => None,
            }
        })
    }

    /// As [`Selector::select`](crate::Selector::select); keys that others register meanwhile are
    /// waited for as well. While another thread is in `select`, it is waited for first, beyond the
    /// timeout.
    ///
    /// # Errors
    ///
    /// The same.
    #[track_caller]
    pub fn select(
        &self,
        ready: &mut Vec<Event>,
        timeout: Option<Duration>,
    ) -> Result<usize, Error> {
        self.must_not_be_inside();
        let mut selector = self.lock();
        let deadline = timeout.and_then(|timeout| selector.now().checked_add(timeout));
        loop {
            // Whoever wants to change something is let in first.
            self.waits.store(true, Ordering::SeqCst);
            if self.changing.load(Ordering::SeqCst) > 0 {
                self.waits.store(false, Ordering::SeqCst);
                let waits = |_: &mut _| self.changing.load(Ordering::SeqCst) > 0;
                let waited = self.changed.wait_while(selector, waits);
                selector = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let selected = selector.select_until(ready, deadline);
            self.waits.store(false, Ordering::SeqCst);
            match selected {
                Err(Error::Interrupted) => continue,
                failed @ Err(_) => return failed,
                Ok(_) => {}
            }
            if let Some(at) = ready.iter().position(|event| event.token == self.notified) {
                ready.remove(at);
                self.notifier.clear()?;
            }
            if !ready.is_empty() || deadline.is_some_and(|deadline| deadline <= selector.now()) {
                return Ok(ready.len());
            }
        }
    }

    /// Which backend asks the kernel.
    #[must_use]
    #[track_caller]
    pub fn backend(&self) -> Backend {
        self.change(|selector| selector.backend())
    }

    /// The notifier's key is nobody's to change.
    fn own(&self, token: Token) -> Result<(), Error> {
        if token == self.notified {
            return Err(Error::NotRegistered(token.fd()));
        }
        Ok(())
    }

    /// Changes something, while nobody waits.
    #[track_caller]
    fn change<T>(
        &self,
        change: impl FnOnce(&mut DefaultSelector<FileOrNotifier<F>, Option<D>>) -> T,
    ) -> T {
        self.must_not_be_inside();
        self.changing.fetch_add(1, Ordering::SeqCst);
        // Its end lets the waiting go on, also if code of the user panics in between.
        let _done = Done(self);
        if self.waits.load(Ordering::SeqCst) {
            // It cannot fail: the fd is ours, and a full counter has notified already.
            let _ = self.notifier.notify();
        }
        change(&mut self.lock())
    }

    /// The lock that this thread would wait for is its own. Only it writes its own name, so that
    /// no order is needed to read it.
    #[track_caller]
    fn must_not_be_inside(&self) {
        assert!(
            self.looks.load(Ordering::Relaxed) != this_thread(),
            "a SharedSelector was called by the closure of its own `with`, which holds its lock: let the \
             closure return what is to be done, and do it afterwards"
        );
    }

    fn lock(&self) -> MutexGuard<'_, DefaultSelector<FileOrNotifier<F>, Option<D>>> {
        self.selector.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One change less. Told under the lock, so that nobody misses it between a look and the sleep.
struct Done<'a, F: AsFd, D>(&'a SharedSelector<F, D>);

impl<F: AsFd, D> Drop for Done<'_, F, D> {
    fn drop(&mut self) {
        let _lock = self.0.lock();
        if self.0.changing.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.changed.notify_all();
        }
    }
}

/// No thread's name.
const NOBODY: usize = 0;

/// The name of this thread: an address that belongs to no other one while it lives. It is to be had in
/// destructors of a thread's own values too.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// The end of a look, also by a panic.
struct Over<'a>(&'a AtomicUsize);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(NOBODY, Ordering::Relaxed);
    }
}

impl<F, D> fmt::Debug for SharedSelector<F, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSelector").finish_non_exhaustive()
    }
}
