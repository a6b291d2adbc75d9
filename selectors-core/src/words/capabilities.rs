//! What a backend offers beyond the contract.

/// What the backend of a selector can do beyond level-triggered READ and WRITE.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// [`Mode::Edge`](crate::Mode::Edge) and `EdgeOneshot` work.
    pub edge: bool,
    /// [`Mode::Oneshot`](crate::Mode::Oneshot) works.
    pub oneshot: bool,
    /// Waits are as fine as nanoseconds; otherwise they are rounded up to milliseconds.
    pub nanosecond_timeouts: bool,
    /// Urgent data can be watched for.
    pub priority: bool,
    /// Hang-up, read-closed and error are told apart from readable and writable.
    pub conditions: bool,
    /// The selector has an fd of its own that another selector can watch.
    pub fileno: bool,
}
