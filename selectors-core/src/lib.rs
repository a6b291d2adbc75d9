//! The selector layer.
