pub(crate) mod core;
pub(crate) mod counted;
pub(crate) mod current;
mod observed;
pub(crate) mod stopping;
pub(crate) mod waker;
