//! The adapter between hyper and the runtime: runs the tests that stand beside it. (An example with
//! tests of its own would be built for them, and not as the program that `ecosystem.rs` runs.)
#![cfg(feature = "ecosystem")]

#[allow(dead_code, reason = "the program uses all of it")]
#[path = "../http_hello/hyper_rt.rs"]
mod hyper_rt;
