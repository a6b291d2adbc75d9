//! One suite, generic over the backend and instantiated for each.
//!
//! Tests that need a process of their own (limits, forks, signals) are in `tests/`.

mod basics;
mod support;
