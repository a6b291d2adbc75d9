//! What is told: the names of calls, the events of every trace, and counters. Everybody may look in
//! here; nothing here knows of slots or sockets.

pub(crate) mod acts;
pub(crate) mod call;
pub(crate) mod direction;
pub(crate) mod events;
pub(crate) mod foreign;
pub(crate) mod kept;
pub(crate) mod made;
pub(crate) mod metrics;
