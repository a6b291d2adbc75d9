//! The runtimes of this process, by number: where a wake from another thread finds its own.

use std::io;
use std::mem;
use std::sync::{Arc, PoisonError, RwLock};

use crate::ready::marks::Past;
use crate::task::id::Id;
use crate::wake::remote::{Mail, Remote};

/// The place in the list is the number.
static RUNTIMES: RwLock<Vec<Listed>> = RwLock::new(Vec::new());

/// What is known of one number.
#[derive(Default)]
struct Listed {
    /// The runtime that has it now.
    remote: Option<Arc<Remote>>,
    /// The ids of tasks that those before it have given.
    past: Past,
}

/// To the runtime of a task, by the way that is open to every thread.
#[cold]
pub(crate) fn send(id: Id, mail: Mail) {
    let runtimes = RUNTIMES.read().unwrap_or_else(PoisonError::into_inner);
    let listed = runtimes.get(usize::from(id.runtime()));
    if let Some(remote) = listed.and_then(|listed| listed.remote.as_ref()) {
        remote.send(mail);
    }
}

/// Enters `remote` into the list. Returns its number, and the ids that were given under that number
/// before.
pub(crate) fn enlist(remote: &Arc<Remote>) -> io::Result<(u16, Past)> {
    let mut runtimes = RUNTIMES.write().unwrap_or_else(PoisonError::into_inner);
    let number = runtimes
        .iter()
        .position(|listed| listed.remote.is_none())
        .unwrap_or(runtimes.len());
    let Ok(short) = u16::try_from(number) else {
        return Err(io::Error::other("more than 65536 runtimes at once"));
    };
    if number == runtimes.len() {
        runtimes.push(Listed::default());
    }
    let listed = &mut runtimes[number];
    listed.remote = Some(Arc::clone(remote));
    Ok((short, mem::take(&mut listed.past)))
}

/// The runtime is gone: wakes for it find nobody from now on, and nobody is given an id of `past`.
pub(crate) fn strike_off(number: u16, past: Past) {
    let mut runtimes = RUNTIMES.write().unwrap_or_else(PoisonError::into_inner);
    let gone = Listed { remote: None, past };
    let remote = mem::replace(&mut runtimes[usize::from(number)], gone);
    drop(runtimes);
    drop(remote);
}
