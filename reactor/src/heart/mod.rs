//! The heart: slots, the turn, and the handle of a reactor.
//!
//! The executor calls in by `reactor` and `turn`, the types of [`fd`](crate::fd) by `shared` and `slot`,
//! and what is awaited of time by `shared`. From here the selector is called, and wakers, and these only
//! when nothing is borrowed: they may come back in. The fields of a slot are for this room alone.

pub(crate) mod budget;
pub(crate) mod crowd;
mod crowded;
pub(crate) mod driven;
pub(crate) mod entered;
mod flush;
mod interest;
pub(crate) mod lasting;
mod observed;
pub(crate) mod pass;
mod paused;
pub(crate) mod pollable;
pub(crate) mod reactor;
pub(crate) mod rest;
pub(crate) mod shared;
pub(crate) mod slot;
pub(crate) mod spin;
pub(crate) mod turn;
mod unusual;
pub(crate) mod waiting;
