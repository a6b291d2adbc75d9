//! The files that are to be changed.

#[path = "../e01_accept_order.rs"]
pub mod e01;
#[path = "../e02_waste.rs"]
pub mod e02;
#[path = "../e03_fd_set.rs"]
pub mod e03;
#[path = "../e04_kernel.rs"]
pub mod e04;
#[path = "../e05_poll.rs"]
pub mod e05;
#[path = "../e06_readable.rs"]
pub mod e06;
#[path = "../e07_queued.rs"]
pub mod e07;
#[path = "../e08_join2.rs"]
pub mod e08;
#[path = "../e09_gap.rs"]
pub mod e09;
#[path = "../e10_timeout.rs"]
pub mod e10;
