//! Misuse is told with the line that misuses: that of the `.await`, which is where the future is polled.
//!
//! `#[track_caller]` reaches through a `poll` that is called by name, and gets lost in closures and in
//! functions that are `async`. So a public await that is made of either is wrapped in one of these, which
//! looks after its poll whether anybody drives the reactor that it waits in.

use std::future::Future;
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::heart::shared::Shared;
use crate::watch::made::MadeAt;

impl Shared {
    /// Polls an await of the program before the eyes of an observer, who is told its line.
    #[cold]
    fn poll_told<F: Future>(
        &self,
        line: &'static Location<'static>,
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let _awaited = self.hook.await_at(line);
        future.poll(cx)
    }
}

pin_project! {
    /// A wait in this reactor.
    #[must_use = "futures do nothing unless awaited"]
    pub(crate) struct Driven<R, F> {
        made_at: MadeAt,
        reactor: R,
        #[pin]
        future: F,
    }
}

impl<R: Deref<Target = Shared>, F> Driven<R, F> {
    #[track_caller]
    pub(crate) fn new(reactor: R, future: F) -> Self {
        Driven {
            made_at: MadeAt::here(),
            reactor,
            future,
        }
    }
}

impl<R: Deref<Target = Shared>, F: Future> Future for Driven<R, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = match this.reactor.attention.is_observed() {
            true => this
                .reactor
                .poll_told(this.made_at.or_here(), this.future, cx),
            false => this.future.poll(cx),
        };
        this.reactor.driven(polled)
    }
}

pin_project! {
    /// An operation that begins in the reactor that is current by then, and may be over without
    /// waiting: it takes one from the budget.
    #[must_use = "futures do nothing unless awaited"]
    pub(crate) struct Begun<F> {
        made_at: &'static Location<'static>,
        reactor: Option<Rc<Shared>>,
        #[pin]
        future: F,
    }
}

impl<F> Begun<F> {
    #[track_caller]
    pub(crate) fn new(future: F) -> Self {
        Begun {
            made_at: Location::caller(),
            reactor: None,
            future,
        }
    }
}

impl<F: Future> Future for Begun<F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // At each poll: what it makes at its end, it makes in the reactor of this thread.
        let current = Shared::current_for(this.made_at);
        let reactor = match this.reactor {
            Some(reactor) => reactor,
            none => {
                ready!(current.poll_spend(cx));
                none.insert(current)
            }
        };
        let _awaited = match reactor.attention.is_observed() {
            true => Some(reactor.hook.await_at(this.made_at)),
            false => None,
        };
        reactor.driven(this.future.poll(cx))
    }
}
