//! Exercise 1, solved.

/// Step 1 of the ladder: one thread, one client after another.
pub fn blocking() -> [&'static str; 9] {
    // The thread stands in A's read until A leaves. B and C wait in the kernel's queue, and what
    // they have said waits there, too.
    [
        "accept A", "answer A", "end A", "accept B", "answer B", "end B", "accept C", "answer C",
        "end C",
    ]
}

/// Step 2: a thread for each client.
pub fn threads() -> [&'static str; 9] {
    // Everybody is served at once, so the server follows the clients.
    [
        "accept A", "accept B", "accept C", "answer C", "answer B", "answer A", "end A", "end B",
        "end C",
    ]
}
