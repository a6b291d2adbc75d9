//! One suite, generic over the backend and instantiated for each. The names of tests begin with
//! the rows of the contract that they hold (see `CONTRACT.md`).
//!
//! Tests that need a process of their own (limits, forks, signals) are in `tests/`.

mod basics;
mod conditions;
mod interrupts;
mod map_and_close;
mod model;
mod modify;
mod names;
mod register;
mod results;
mod support;
mod timeouts;
mod unregister;
