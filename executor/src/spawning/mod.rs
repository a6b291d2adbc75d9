//! Ways in: how a future becomes a task, and what those who made it hold of it.
//!
//! `task` is the future with the header that catches its panics, `outlet` where its result goes;
//! `admit` brings both to the loop. A [`JoinHandle`](join::JoinHandle), a
//! [`SendHandle`](send_handle::SendHandle) and a [`TaskSet`](task_set::TaskSet) are three outlets.
//!
//! Called by users. It reaches the loop by [`current`](crate::run::current) alone, and the loop knows
//! nothing of it.

pub(crate) mod abort_handle;
pub(crate) mod admit;
pub(crate) mod join;
pub(crate) mod join_error;
pub(crate) mod outlet;
pub(crate) mod send_handle;
pub(crate) mod spawn_traits;
pub(crate) mod spawner;
pub(crate) mod task;
pub(crate) mod task_set;
