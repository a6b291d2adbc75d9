//! One suite, generic over the backend and instantiated for each. The names of tests begin with
//! the rows of the contract that they hold (see `CONTRACT.md`).
//!
//! Tests that need a process of their own (limits, forks, signals) are in `tests/`.

#![cfg_attr(
    winsock,
    allow(
        unused_imports,
        reason = "what is absent there leaves some without a use"
    )
)]

mod addresses;
mod basics;
#[cfg(doubles)]
mod better;
mod client;
#[cfg(doubles)]
mod conditions;
#[cfg(doubles)]
mod counters;
#[cfg(doubles)]
mod differences;
#[cfg(doubles)]
mod documents;
mod endings;
mod forms;
#[cfg(doubles)]
mod interrupts;
mod map_and_close;
#[cfg(doubles)]
mod model;
mod modify;
mod names;
#[cfg(doubles)]
mod orphans;
mod panics;
mod rearm;
mod register;
mod results;
mod scripted;
#[cfg(doubles)]
mod scripts;
mod shared;
mod support;
#[cfg(doubles)]
mod system_calls;
mod timeouts;
#[cfg(doubles)]
mod two_kqueues;
mod unregister;
#[cfg(uring)]
mod uring;
#[cfg(winsock)]
mod winsock;
#[cfg(doubles)]
mod withheld;
