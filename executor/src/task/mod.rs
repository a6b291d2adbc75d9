pub(crate) mod foreign;
pub(crate) mod id;
pub(crate) mod slab;
pub(crate) mod spare;
