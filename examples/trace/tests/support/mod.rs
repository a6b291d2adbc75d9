//! Records a future of a test, on a backend of its choice.

#![allow(dead_code, reason = "every test file uses its own part of this")]

pub(crate) mod browser;

use std::future::Future;
use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use executor::Trigger;
use executor::reactor::trace::Recorder;
use executor::{Reactor, Runtime};
use selectors_core::Backend;

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The trace of `future`, as text.
pub(crate) fn record<F: Future>(backend: Backend, future: F) -> String {
    let runtime = Runtime::builder()
        .reactor(Reactor::builder().backend(backend))
        .build()
        .expect("the backend is there");
    let text = Text::default();
    let trigger = match runtime.reactor().trigger() {
        Trigger::Edge => "edge",
        _ => "level",
    };
    let recorder = Recorder::new(text.clone(), backend.name(), trigger);
    runtime.reactor().observe(Some(Rc::new(recorder)));
    runtime.block_on(future).expect("the kernel waits");
    drop(runtime);
    let bytes = mem::take(&mut *lock(&text.0));
    String::from_utf8(bytes).expect("a trace is text")
}

fn lock(text: &Mutex<Vec<u8>>) -> MutexGuard<'_, Vec<u8>> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}
