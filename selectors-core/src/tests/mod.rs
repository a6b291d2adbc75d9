//! One suite, generic over the backend and instantiated for each. The names of tests begin with
//! the rows of the contract that they hold (see `CONTRACT.md`).
//!
//! Tests that need a process of their own (limits, forks, signals) are in `tests/`.

mod basics;
mod names;
mod register;
mod support;
