//! Values that belong to a task, as thread-locals belong to a thread.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

use pin_project_lite::pin_project;

/// Declares task-locals, in the form of [`std::thread_local!`] without initial values; each
/// becomes a [`TaskLocal`].
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
    ($($(#[$attribute:meta])* $visible:vis static $name:ident: $value:ty;)*) => {$(
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
pub struct CurrentValue<T>(RefCell<ManuallyDrop<Option<T>>>);

impl<T> CurrentValue<T> {
    #[doc(hidden)]
    pub const fn none() -> Self {
        CurrentValue(RefCell::new(ManuallyDrop::new(None)))
    }
}

/// A value that is set while a certain future is polled; declared by [`task_local!`].
pub struct TaskLocal<T: 'static> {
    value: &'static LocalKey<CurrentValue<T>>,
}

impl<T: 'static> TaskLocal<T> {
    /// For [`task_local!`].
    #[doc(hidden)]
    pub const fn new(value: &'static LocalKey<CurrentValue<T>>) -> Self {
        TaskLocal { value }
    }

    /// `future`, with this value set whenever it is polled, and when it is dropped.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> Scope<T, F> {
        Scope {
            local: self,
            value: Some(value),
            future: Some(future),
        }
    }

    /// Looks at the value.
    ///
    /// # Panics
    ///
    /// Outside every [`scope`](Self::scope), or if `look` opens one itself.
    #[track_caller]
    pub fn with<R>(&'static self, look: impl FnOnce(&T) -> R) -> R {
        self.try_with(look)
            .expect("this task-local has no value here: use it inside its `scope`")
    }

    /// As [`with`](Self::with); `None` outside every scope.
    pub fn try_with<R>(&'static self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.value.with(|value| value.0.borrow().as_ref().map(look))
    }

    fn exchange(&self, other: &mut Option<T>) {
        self.value
            .with(|value| mem::swap(&mut **value.0.borrow_mut(), other));
    }
}

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
        // The value while the future is not being polled.
        value: Option<T>,
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
    value: &'a mut Option<T>,
}

impl<'a, T: 'static> Exchanged<'a, T> {
    fn new(local: &'static TaskLocal<T>, value: &'a mut Option<T>) -> Self {
        local.exchange(value);
        Exchanged { local, value }
    }
}

impl<T: 'static> Drop for Exchanged<'_, T> {
    fn drop(&mut self) {
        self.local.exchange(self.value);
    }
}
