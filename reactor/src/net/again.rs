//! Asking again where the kernel has no event: for room in the backlog of a Unix listener, and in the
//! queue of a Unix socket that we are not connected to.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::heart::rest::Rest;
use crate::heart::shared::Shared;

/// The first and the longest pause between two attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

/// Makes a call until it does not say WouldBlock, with longer and longer pauses in between.
#[derive(Default)]
pub(crate) struct Again {
    /// The pause that runs, and how long it is.
    pause: Option<(Rest, Duration)>,
}

impl Again {
    pub(crate) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        reactor: &Rc<Shared>,
        attempt: impl Fn() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut next = PAUSES.0;
            if let Some((pause, length)) = &mut self.pause {
                ready!(pause.poll(cx));
                next = PAUSES.1.min(*length * 2);
            }
            self.pause = None;
            match attempt() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pause = Some((Rest::new(reactor, next), next));
                }
                done => return Poll::Ready(done),
            }
        }
    }
}
