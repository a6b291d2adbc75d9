//! What other threads may touch of a runtime: its inbox, and the notifier that ends its sleep.
//!
//! Everything here is `Sync`, and nothing of the runtime's own is. A message goes in from any thread;
//! the loop alone takes it out.

pub(crate) mod inbox;
pub(crate) mod letters;
pub(crate) mod remote;
