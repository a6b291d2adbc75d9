//! The load meter of a server: it counts, and tells when the load has changed.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use indicatif::HumanCount;
use reactor::time::sleep;

use crate::change::Change;

/// The shortest time between two reports, and what rates are measured over.
const PERIOD: Duration = Duration::from_secs(1);

/// What a server has done so far.
#[derive(Default)]
pub struct Load {
    open: Cell<u64>,
    connections: Cell<u64>,
    failed: Cell<u64>,
    messages: Cell<u64>,
    bytes: Cell<u64>,
    /// Who waits for something to happen. Set by `activity`, taken by whatever happens next.
    watcher: Cell<Option<Waker>>,
}

impl Load {
    /// A connection has come.
    pub fn opened(&self) {
        self.open.set(self.open.get() + 1);
        self.connections.set(self.connections.get() + 1);
        self.happened();
    }

    /// A connection has gone.
    pub fn closed(&self) {
        self.open.set(self.open.get() - 1);
        self.happened();
    }

    /// A connection has ended with an error; it still counts as gone only once it is `closed`.
    pub fn failed(&self) {
        self.failed.set(self.failed.get() + 1);
    }

    /// That many bytes went back, in one message. TCP has no messages: one is what one read gave.
    pub fn echoed(&self, bytes: usize) {
        self.messages.set(self.messages.get() + 1);
        self.bytes.set(self.bytes.get() + bytes as u64);
        self.happened();
    }

    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        self.open.get()
    }

    fn happened(&self) {
        if let Some(watcher) = self.watcher.take() {
            watcher.wake();
        }
    }

    /// Waits for the next event. An idle server has nothing to count and may sleep for ever.
    async fn activity(&self) {
        let mut asleep = false;
        poll_fn(|cx| {
            let watcher = self.watcher.take();
            if asleep && watcher.is_none() {
                return Poll::Ready(());
            }
            asleep = true;
            self.watcher.set(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Hands each change of load to `tell`, at most one a second. Never ends.
    pub async fn watch(&self, mut tell: impl FnMut(Change)) {
        let mut told = Change {
            open: self.open(),
            messages: 0.0,
            bytes: 0.0,
        };
        loop {
            let (messages, bytes) = (self.messages.get(), self.bytes.get());
            // While there is traffic the clock wakes us, else only the next event.
            if told.open == self.open() && told.messages == 0.0 {
                self.activity().await;
            }
            let start = Instant::now();
            sleep(PERIOD).await;
            let seconds = start.elapsed().as_secs_f64();
            let now = Change {
                open: self.open(),
                messages: (self.messages.get() - messages) as f64 / seconds,
                bytes: (self.bytes.get() - bytes) as f64 / seconds,
            };
            if now.differs_from(&told) {
                tell(now);
                told = now;
            }
        }
    }
}

/// The totals, on one line.
impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (connections, messages) = (self.connections.get(), self.messages.get());
        write!(
            f,
            "{} {}, {} {}, {} bytes",
            HumanCount(connections),
            plural(connections, "connection"),
            HumanCount(messages),
            plural(messages, "message"),
            HumanCount(self.bytes.get()),
        )?;
        match self.failed.get() {
            0 => Ok(()),
            failed => write!(f, "; {} ended with an error", HumanCount(failed)),
        }
    }
}

/// The word, with an s unless there is one of it.
pub fn plural(count: u64, word: &str) -> String {
    if count == 1 {
        word.to_owned()
    } else {
        format!("{word}s")
    }
}

#[cfg(test)]
mod tests {
    use super::Load;

    #[test]
    fn totals_name_connections_messages_and_bytes() {
        let load = Load::default();
        load.opened();
        load.opened();
        load.echoed(1000);
        load.failed();
        load.closed();
        assert_eq!(load.open(), 1);
        let totals = "2 connections, 1 message, 1,000 bytes; 1 ended with an error";
        assert_eq!(load.to_string(), totals);
    }

    #[test]
    fn an_idle_meter_sleeps_and_a_busy_one_tells() {
        executor::block_on(async {
            let load = std::rc::Rc::new(Load::default());
            let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
            let (watched, out) = (load.clone(), told.clone());
            let watch = executor::spawn(async move {
                watched.watch(|change| out.borrow_mut().push(change)).await;
            });
            executor::yield_now().await;
            load.opened();
            load.echoed(10);
            while told.borrow().is_empty() {
                reactor::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            watch.abort();
            assert_eq!(told.borrow()[0].open, 1);
        })
        .expect("the runtime runs");
    }
}
