//! A browser of this machine for those who check pages: where it is, and how it runs by itself.

use std::process::Command;

/// Flags that keep Chromium from the network, from the screen and from its own news.
pub const ALONE: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The name of a Chromium that runs here, if there is one.
///
/// ```
/// if let Some(name) = trace::browser::chromium() {
///     assert!(std::process::Command::new(name).arg("--version").output().is_ok());
/// }
/// ```
pub fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        // Some systems have a program of this name that only says where to get one.
        .find(|name| {
            let version = Command::new(name).arg("--version").output();
            version.is_ok_and(|output| output.status.success())
        })
}
