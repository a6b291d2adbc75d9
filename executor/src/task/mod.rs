//! A task as the loop holds it: its name, the box it lives in, the slab where the boxes are, those
//! that are empty, and how code of the user's is called that may panic.
//!
//! Called by the loop ([`run`](crate::run)) and by those who make tasks ([`spawning`](crate::spawning));
//! it knows neither, and calls nobody but the futures in the boxes.

pub(crate) mod acts;
pub(crate) mod foreign;
pub(crate) mod id;
pub(crate) mod job;
pub(crate) mod slab;
pub(crate) mod spare;
