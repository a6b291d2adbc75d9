//! `REACTOR_TRACE` and `REACTOR_TRACE_LIMIT`: any program can be asked for a trace from outside.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Recorder;
use super::told::{VARIABLE, say};
use crate::heart::reactor::{Reactor, Trigger};

/// The variable that says how long the file may become.
const LIMIT_VARIABLE: &str = "REACTOR_TRACE_LIMIT";

/// A recorder that writes where the variable `REACTOR_TRACE` says, and whose header says `backend`
/// and `trigger`.
///
/// `None` if there is no such variable, or if the program has rights that whoever set it does not
/// have; and if the file cannot be written, which is told on stderr: a program is not to fail
/// because somebody watches it.
///
/// ```
/// // Nobody asks for a trace of this.
/// assert!(reactor::trace::asked_for("epoll", "edge").is_none());
/// ```
#[must_use]
pub fn asked_for(backend: &str, trigger: &str) -> Option<Recorder> {
    let name = env::var_os(VARIABLE).filter(|name| !name.is_empty())?;
    if selectors_core::sys::process::is_secure_execution() {
        return None;
    }
    let path = path(name);
    let file = match File::create(&path) {
        Ok(file) => file,
        Err(error) => {
            say(format_args!("cannot write {path:?}: {error}"));
            return None;
        }
    };
    let recorder = Recorder::new(file, backend, trigger);
    let asked = env::var_os(LIMIT_VARIABLE).filter(|limit| !limit.is_empty());
    match asked.as_ref().map(|limit| limit.to_str().and_then(bytes)) {
        None => {}
        Some(Some(limit)) => recorder.set_limit(limit),
        Some(None) => say(format_args!(
            "{LIMIT_VARIABLE} is a number of bytes, such as 4096, 64K, 100M or 2G; not {asked:?}"
        )),
    }
    Some(recorder)
}

/// Installs a recorder if the variable says so.
pub(crate) fn install(reactor: &Reactor) {
    let trigger = match reactor.trigger() {
        Trigger::Edge => "edge",
        _ => "level",
    };
    if let Some(recorder) = asked_for(reactor.backend().name(), trigger) {
        reactor.observe(Some(Rc::new(recorder)));
    }
}

/// The first recorder of a process writes to the file of that name, the second to `name.2`, and so
/// on. A child of fork(2) counts on from where its parent was, so its names have its number.
fn path(name: OsString) -> PathBuf {
    static OWNER: AtomicU32 = AtomicU32::new(0);
    static MADE: AtomicU32 = AtomicU32::new(0);
    let process = process::id();
    let mut name = match name.into_string() {
        Ok(text) => text.replace("%p", &process.to_string()).into(),
        Err(name) => name,
    };
    let owner = OWNER.compare_exchange(0, process, Ordering::Relaxed, Ordering::Relaxed);
    if owner.is_err_and(|owner| owner != process) {
        name.push(format!(".{process}"));
    }
    let number = MADE.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    if number > 1 {
        name.push(format!(".{number}"));
    }
    name.into()
}

/// `4096`, `64K`, `100M`, `2G`.
fn bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' | b'k' => (&text[..text.len() - 1], 10),
        b'M' | b'm' => (&text[..text.len() - 1], 20),
        b'G' | b'g' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_limit_is_a_number_with_or_without_a_letter() {
        let good = [("4096", 4096), ("64K", 65_536), ("2g", 2 << 30)];
        for (text, wanted) in good {
            assert_eq!(bytes(text), Some(wanted), "{text}");
        }
        for bad in ["", "K", "-1", "1T", "1.5M", "99999999999G"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
