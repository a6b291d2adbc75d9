//! Values that belong to a task, as thread-locals belong to a thread.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread::LocalKey;

use pin_project_lite::pin_project;

/// Declares task-locals, in the form of [`std::thread_local!`] without initial values; each
/// becomes a [`TaskLocal`]. The last semicolon may be left out.
///
/// ```
/// executor::task_local! {
///     static REQUEST: u32;
/// }
///
/// executor::block_on(async {
///     let one = executor::spawn(REQUEST.scope(1, async {
///         executor::yield_now().await;
///         REQUEST.with(|request| *request)
///     }));
///     let two = executor::spawn(REQUEST.scope(2, async { REQUEST.with(|request| *request) }));
///     assert_eq!((one.await.unwrap(), two.await.unwrap()), (1, 2));
///     assert_eq!(REQUEST.try_with(|request| *request), None);
/// })?;
/// # std::io::Result::Ok(())
/// ```
#[macro_export]
macro_rules! task_local {
    ($($(#[$attribute:meta])* $visible:vis static $name:ident: $value:ty);* $(;)?) => {$(
        $(#[$attribute])*
        $visible static $name: $crate::TaskLocal<$value> = {
            ::std::thread_local! {
                static VALUE: $crate::CurrentValue<$value> = const { $crate::CurrentValue::none() };
            }
            $crate::TaskLocal::new(&VALUE)
        };
    )*};
}

/// The value of the scope that is being polled; for [`task_local!`].
///
/// `ManuallyDrop` because a thread-local without a destructor is there until the thread's last one
/// has run: the tasks of a runtime that is kept in a thread-local still find their values when they
/// are dropped. Nothing leaks: a scope takes out what it has put in.
#[doc(hidden)]
#[allow(
    missing_debug_implementations,
    reason = "for the macro, and for nobody else"
)]
pub struct CurrentValue<T>(Cell<ManuallyDrop<Option<Rc<T>>>>);

impl<T> CurrentValue<T> {
    #[doc(hidden)]
    #[must_use]
    pub const fn none() -> Self {
        CurrentValue(Cell::new(ManuallyDrop::new(None)))
    }

    fn exchange(&self, other: Option<Rc<T>>) -> Option<Rc<T>> {
        ManuallyDrop::into_inner(self.0.replace(ManuallyDrop::new(other)))
    }

    fn get(&self) -> Option<Rc<T>> {
        let value = self.0.replace(ManuallyDrop::new(None));
        let shared = (*value).clone();
        self.0.set(value);
        shared
    }
}

/// A value that is set while a certain future is polled; declared by [`task_local!`].
pub struct TaskLocal<T: 'static> {
    value: &'static LocalKey<CurrentValue<T>>,
}

impl<T: 'static> TaskLocal<T> {
    /// For [`task_local!`].
    #[doc(hidden)]
    #[must_use]
    pub const fn new(value: &'static LocalKey<CurrentValue<T>>) -> Self {
        TaskLocal { value }
    }

    /// `future`, with this value set whenever it is polled, and when it is dropped.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> Scope<T, F> {
        Scope {
            local: self,
            value: Some(Rc::new(value)),
            future: Some(future),
        }
    }

    /// Calls `body` with this value set.
    ///
    /// ```
    /// executor::task_local! {
    ///     static REQUEST: u32
    /// }
    /// assert_eq!(REQUEST.sync_scope(7, || REQUEST.get()), 7);
    /// assert_eq!(REQUEST.try_get(), None);
    /// ```
    pub fn sync_scope<R>(&'static self, value: T, body: impl FnOnce() -> R) -> R {
        let mut value = Some(Rc::new(value));
        let _exchanged = Exchanged::new(self, &mut value);
        body()
    }

    /// Looks at the value. `look` may do anything, also open a scope.
    ///
    /// # Panics
    ///
    /// Outside every [`scope`](Self::scope).
    #[track_caller]
    pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with(look).expect(NO_VALUE)
    }

    /// As [`with`](Self::with); `None` outside every scope.
    pub fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let value = self.value.with(CurrentValue::get)?;
        Some(look(&value))
    }

    fn exchange(&self, other: &mut Option<Rc<T>>) {
        *other = self.value.with(|value| value.exchange(other.take()));
    }
}

impl<T: Clone + 'static> TaskLocal<T> {
    /// A clone of the value.
    ///
    /// # Panics
    ///
    /// Outside every [`scope`](Self::scope).
    #[track_caller]
    #[must_use]
    pub fn get(&'static self) -> T {
        self.try_get().expect(NO_VALUE)
    }

    /// As [`get`](Self::get); `None` outside every scope.
    pub fn try_get(&'static self) -> Option<T> {
        self.try_with(T::clone)
    }
}

const NO_VALUE: &str = "this task-local has no value here: use it inside its `scope`";

impl<T: 'static> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskLocal")
    }
}

pin_project! {
    /// A future with a task-local value; made by [`TaskLocal::scope`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scope<T: 'static, F> {
        local: &'static TaskLocal<T>,
        // The value while the future is not being polled. Shared, so that nothing is borrowed while
        // somebody looks at it.
        value: Option<Rc<T>>,
        #[pin]
        future: Option<F>,
    }

    impl<T: 'static, F> PinnedDrop for Scope<T, F> {
        fn drop(this: Pin<&mut Self>) {
            // The future's destructors may ask for the value.
            let mut this = this.project();
            let _exchanged = Exchanged::new(this.local, this.value);
            this.future.set(None);
        }
    }
}

impl<T: 'static, F> Scope<T, F> {
    /// Takes the value out, for who polls the scope by hand and is done with it. `None` if it was
    /// taken before, and then the future in the scope finds none either.
    ///
    /// ```
    /// use std::future::{Future, ready};
    /// use std::pin::pin;
    /// use std::task::{Context, Waker};
    ///
    /// executor::task_local! {
    ///     static NOTES: std::cell::RefCell<Vec<u32>>
    /// }
    /// let noting = async { NOTES.with(|notes| notes.borrow_mut().push(7)) };
    /// let mut scope = pin!(NOTES.scope(Default::default(), noting));
    /// let mut cx = Context::from_waker(Waker::noop());
    /// assert!(scope.as_mut().poll(&mut cx).is_ready());
    /// assert_eq!(scope.as_mut().take_value().unwrap().into_inner(), [7]);
    /// assert!(scope.take_value().is_none());
    /// ```
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        // Nobody shares it: who looks at it does so during a poll.
        Rc::into_inner(self.project().value.take()?)
    }
}

impl<T: 'static, F: Future> Future for Scope<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _exchanged = Exchanged::new(this.local, this.value);
        let future = this
            .future
            .as_pin_mut()
            .expect("present until it is dropped");
        future.poll(cx)
    }
}

impl<T: 'static, F> fmt::Debug for Scope<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

/// The value of the thread-local and that of the scope, exchanged; exchanged again when dropped,
/// also by a panic.
struct Exchanged<'a, T: 'static> {
    local: &'static TaskLocal<T>,
    value: &'a mut Option<Rc<T>>,
}

impl<'a, T: 'static> Exchanged<'a, T> {
    fn new(local: &'static TaskLocal<T>, value: &'a mut Option<Rc<T>>) -> Self {
        local.exchange(value);
        Exchanged { local, value }
    }
}

impl<T: 'static> Drop for Exchanged<'_, T> {
    fn drop(&mut self) {
        self.local.exchange(self.value);
    }
}
