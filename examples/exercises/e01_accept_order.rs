//! Exercise 1: what do two servers do, and in which order?
//!
//! Clients A, B and C connect, in this order. Then C says something, then B, then A. Then A leaves,
//! then B, then C. Each step of a client comes after everything that the one before can lead to.
//!
//! Put the nine things that the server does into their order: "accept A" to "accept C", "answer A"
//! to "answer C" and "end A" to "end C".
//!
//! ```text
//! cargo run -p exercises -- check e01
//! ```

/// Step 1 of the ladder: one thread, one client after another.
pub fn blocking() -> [&'static str; 9] {
    // To be changed.
    [
        "accept A", "accept B", "accept C", "answer C", "answer B", "answer A", "end A", "end B",
        "end C",
    ]
}

/// Step 2: a thread for each client.
pub fn threads() -> [&'static str; 9] {
    // To be changed.
    [
        "accept A", "answer A", "end A", "accept B", "answer B", "end B", "accept C", "answer C",
        "end C",
    ]
}
