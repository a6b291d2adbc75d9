//! The heart: slots, the turn, and the handle of a reactor. The I/O types, the timers that tasks
//! await and the executor call in; from here the selector is called, and wakers.

pub(crate) mod budget;
pub(crate) mod crowd;
mod crowded;
pub(crate) mod entered;
mod flush;
mod interest;
pub(crate) mod lasting;
pub(crate) mod queue;
pub(crate) mod reactor;
pub(crate) mod shared;
pub(crate) mod slot;
pub(crate) mod spin;
pub(crate) mod turn;
pub(crate) mod waiting;
