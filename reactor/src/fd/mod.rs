//! Any fd, made awaitable: try the call, store the waker, arm the key, return `Pending`. Sockets are
//! made of it, and whoever has an fd of another kind uses it as it is.
//!
//! `async_fd` is the door, and `operation` is what goes on behind it. [`net`](crate::net), children and
//! signals call in; from here the slot and the reactor of an fd are used, and nothing of the network.

pub(crate) mod async_fd;
pub(crate) mod async_io;
mod observed;
pub(crate) mod operation;
mod plain;
pub(crate) mod poll_style;
pub(crate) mod readiness;
mod register;
pub(crate) mod transfer;
pub(crate) mod waiter;
