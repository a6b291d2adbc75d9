//! One suite, generic over the backend and instantiated for each. The names of tests begin with
//! the rows of the contract that they hold (see `CONTRACT.md`).
//!
//! Tests that need a process of their own (limits, forks, signals) are in `tests/`.

mod basics;
mod better;
mod client;
mod conditions;
mod counters;
mod differences;
mod documents;
mod endings;
mod forms;
mod interrupts;
mod map_and_close;
mod model;
mod modify;
mod names;
mod orphans;
mod panics;
mod rearm;
mod register;
mod results;
mod scripted;
mod support;
mod system_calls;
mod timeouts;
mod unregister;
mod withheld;
