//! What the reactor does, for traces: each act is named where it is done, by `selectors_core::act!`.

pub(crate) use selectors_core::sys::acts::Act;

selectors_core::acts! {
    /// A try of the program's own call.
    Tried
    /// A call of the program's own, in an await of it.
    Called
    /// The waker goes into a slot that is empty.
    Stored
    /// The waker goes into the crowd of a slot.
    StoredInCrowd
    /// A key is made.
    Registered
    /// A key's interest changes.
    Modified
    /// A key is parked.
    Parked
    /// A key goes.
    Unregistered
    /// What another thread has written is seen.
    Notified
    /// A timer is queued.
    Timed
    /// A timer is due, and its waker is taken.
    Fired
    /// It is asked whether a future with a deadline has kept its waker.
    Left
}
