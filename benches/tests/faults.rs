//! What is broken on purpose must be found, with the right code.
//!
//! A file of its own, and one test: a generator needs a CPU for itself, so nothing of ours may run
//! beside it.

use std::process::Command;

#[test]
fn each_fault_is_found_with_its_code() {
    for (fault, code) in [
        ("sleeping-generator", "generator-lag: "),
        ("slow-generator", "headroom: "),
        ("sleeping-server", "not-server-bound: "),
        ("flood", "backlog: "),
        ("dropped-reply", "errors: "),
        ("wrong-byte", "errors: "),
        ("reset", "errors: "),
        ("corrected-histogram", "canary: "),
        ("coordinated-omission", "canary: "),
        ("halved-latency", "little: "),
        ("stepping-clock", "clock: "),
        ("noisy-neighbour", "noisy-foreign: "),
        ("few-files", "resource-wall: "),
        ("few-ports", "ports: "),
        ("swapped-subjects", "shape: "),
    ] {
        let mut selftest = Command::new(env!("CARGO_BIN_EXE_selbench"));
        let output = selftest.args(["selftest", "--fault", fault]).output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{fault}: {words}");
        assert!(words.contains(code), "{fault}: {words}");
    }
}
