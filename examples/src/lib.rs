//! Runnable programs on the runtime.
