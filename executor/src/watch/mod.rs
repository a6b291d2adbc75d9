pub(crate) mod dump;
pub(crate) mod metrics;
