//! Ten exercises, one for each chapter of the book, and a judge for each.
//!
//! A start (`e06_readable.rs` in this folder) compiles and is wrong. Change it until
//!
//! ```text
//! cargo run -p exercises -- check e06
//! ```
//!
//! is content; what it says until then is meant to help. The judge of an exercise is the module of
//! its number, and holds what the exercise is built on, too. `solutions/` has one way to do it.

#![forbid(unsafe_code)]

// The files of the learner name this crate as any other crate would.
extern crate self as exercises;

pub mod e01;
pub mod e02;
pub mod e03;
pub mod e04;
pub mod e05;
pub mod e06;
pub mod e07;
pub mod e08;
pub mod e09;
pub mod e10;
mod exercise;
pub mod solutions;
pub mod starts;
mod verdict;

pub use exercise::{EXERCISES, Exercise, Version, note_panics};
pub use verdict::{Judged, Wrong};
