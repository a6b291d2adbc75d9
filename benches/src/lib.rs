//! Measurements of the runtime and its rivals.
