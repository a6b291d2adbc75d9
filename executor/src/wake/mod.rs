pub(crate) mod inbox;
