//! What the server says about its load: a line when it has changed, and the totals.

use std::fmt;
use std::time::{Duration, Instant};

use examples::change::Change;
use examples::words::plural;
use executor::time::sleep;
use indicatif::HumanCount;

use crate::server::Server;

/// The shortest time between two lines, and what rates are measured over.
const PERIOD: Duration = Duration::from_secs(1);

impl Server {
    /// Hands each change of load to `tell`, at most one a second. Never ends; where nobody is
    /// connected it sleeps, as the server does.
    pub(crate) async fn watch(&self, mut tell: impl FnMut(Change)) {
        let mut told = Change {
            open: self.open.get(),
            messages: 0.0,
            bytes: 0.0,
        };
        loop {
            let (messages, bytes) = (self.messages.get(), self.bytes.get());
            if told.open == 0 && self.open.get() == 0 && told.messages == 0.0 {
                self.changed.listen().await;
            }
            let start = Instant::now();
            sleep(PERIOD).await;
            let seconds = start.elapsed().as_secs_f64();
            let now = Change {
                open: self.open.get(),
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
impl fmt::Display for Server {
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
