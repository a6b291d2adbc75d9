//! What the executor does, for traces: each act is named where it is done, by `selectors_core::act!`.

pub(crate) use selectors_core::sys::acts::Act;

selectors_core::acts! {
    /// A task is taken in, and queued.
    Spawned
    /// A waker was called on this thread.
    Woken
    /// One was called on another thread.
    WokenByMail
    /// Who was woken is pushed onto the ready queue.
    Pushed
    /// A task that is new is.
    PushedNew
    /// A task's future is polled.
    Polled
    /// That of `block_on` is.
    PolledRoot
    /// A task leaves its place.
    Removed
    /// A future is dropped before it was ready.
    Dropped
    /// Those are looked for whose last waker is gone.
    Lost
    /// A task is given its name.
    Named
}
