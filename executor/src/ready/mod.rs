pub(crate) mod marks;
mod queue;
pub(crate) mod scheduler;
mod shuffle;
