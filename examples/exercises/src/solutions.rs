//! One way to do it, for each exercise.

#[path = "../solutions/e01_accept_order.rs"]
pub mod e01;
#[path = "../solutions/e02_waste.rs"]
pub mod e02;
#[path = "../solutions/e03_fd_set.rs"]
pub mod e03;
#[path = "../solutions/e04_kernel.rs"]
pub mod e04;
#[path = "../solutions/e05_poll.rs"]
pub mod e05;
#[path = "../solutions/e06_readable.rs"]
pub mod e06;
#[path = "../solutions/e07_queued.rs"]
pub mod e07;
#[path = "../solutions/e08_join2.rs"]
pub mod e08;
#[path = "../solutions/e09_gap.rs"]
pub mod e09;
#[path = "../solutions/e10_timeout.rs"]
pub mod e10;
