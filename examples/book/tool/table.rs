//! What there is: the steps of the ladder and the pieces of the museum, in their order.

use std::path::{Path, PathBuf};

/// The steps of the ladder.
pub const STEPS: [&str; 12] = [
    "s01_blocking",
    "s02_threads",
    "s03_spin",
    "s04_select",
    "s05_callbacks",
    "s06_backends",
    "s07_waker",
    "s08_queue",
    "s09_await",
    "s10_time",
    "s11_cancel",
    "s12_crates",
];

/// Loops that are not ours, whose logs `examples/traces/strace` has.
pub const LOOPS: [&str; 5] = ["nginx", "redis", "node", "asyncio", "tokio"];

/// The log of one of them.
#[must_use]
pub fn log(name: &str) -> PathBuf {
    root().join(format!("examples/traces/strace/{name}.strace"))
}

/// `s07` of `s07_waker`.
#[must_use]
pub fn number(name: &str) -> &str {
    name.split('_').next().unwrap_or(name)
}

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of the pages.
#[must_use]
pub fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The source of a step.
#[must_use]
pub fn step(name: &str) -> PathBuf {
    root().join(format!("examples/steps/{name}.rs"))
}

/// The source of a museum piece.
#[must_use]
pub fn piece(name: &str) -> PathBuf {
    root().join(format!("examples/museum/{name}.rs"))
}

/// The pieces of the museum: every program in its folder.
///
/// # Errors
///
/// Why the folder cannot be read.
pub fn museum() -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("examples/museum"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
