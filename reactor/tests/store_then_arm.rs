//! Store the waker, then arm the key, then return `Pending`: every order in which bytes can come,
//! turns can be taken and waiters can come and go around these steps. None loses a wake.
//!
//! A real operation of the reactor is polled as an executor would: when it was woken, and not
//! otherwise. Bytes come at every moment at which another process could have sent them: before and
//! after the kernel answers the call, after the waker was stored, after the key was armed, before
//! and after a select. The rest (a turn, a second waiter that arrives or leaves) happens on this
//! thread, so between two polls, in every order.
//!
//! `arm_then_store.rs` tries all orders of the steps the other way round, and finds those that lose.
#![cfg(unix)]

use std::io;
use std::rc::Rc;

use reactor::observe::Observer;
use reactor::{Reactor, Trigger};
use selectors_core::{Mode, Script};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;

mod orders;
use orders::kernel::Kernel;
use orders::{Choices, all};

#[path = "orders/play.rs"]
mod play;
use play::{Play, Scene};

on_every_backend!(
    two_reads_in_a_row,
    a_second_waiter,
    a_second_waiter_that_leaves,
    all_of_it,
);

fn two_reads_in_a_row(variant: Variant) -> io::Result<()> {
    on_the_real_kernel(variant, TWO_READS)
}

fn a_second_waiter(variant: Variant) -> io::Result<()> {
    on_the_real_kernel(variant, TWO_WAITERS)
}

fn a_second_waiter_that_leaves(variant: Variant) -> io::Result<()> {
    on_the_real_kernel(variant, ONE_LEAVES)
}

fn all_of_it(variant: Variant) -> io::Result<()> {
    on_the_real_kernel(variant, ALL_OF_IT)
}

#[test]
fn scripted_edge_triggered() {
    on_a_script(Trigger::Edge, Mode::Edge);
}

#[test]
fn scripted_level_triggered() {
    on_a_script(Trigger::Level, Mode::Level);
}

const TWO_READS: Scene = Scene {
    reads: 2,
    bytes: 2,
    second: false,
    leaves: false,
    turns: 2,
};
const TWO_WAITERS: Scene = Scene {
    reads: 1,
    bytes: 2,
    second: true,
    leaves: false,
    turns: 1,
};
const ONE_LEAVES: Scene = Scene {
    reads: 1,
    bytes: 1,
    second: true,
    leaves: true,
    turns: 1,
};

const ALL_OF_IT: Scene = Scene {
    reads: 2,
    bytes: 2,
    second: true,
    leaves: true,
    turns: 1,
};

fn on_the_real_kernel(variant: Variant, scene: Scene) -> io::Result<()> {
    let open = || Ok((variant.reactor()?, Kernel::real()?));
    every_order(scene, open)
}

fn on_a_script(trigger: Trigger, mode: Mode) {
    for scene in [TWO_READS, TWO_WAITERS, ONE_LEAVES, ALL_OF_IT] {
        let open = || {
            let script = Script::new();
            let builder = Reactor::builder().script(script.clone());
            let reactor = builder.trigger(trigger).build()?;
            Ok((reactor, Kernel::scripted(script, mode)?))
        };
        every_order(scene, open).expect("nothing fails");
    }
}

/// Unobserved an operation takes the short way; observed, bytes come at more moments.
fn every_order(scene: Scene, open: impl Fn() -> io::Result<(Reactor, Kernel)>) -> io::Result<()> {
    for observed in [false, true] {
        let mut failed = None;
        let runs = all(|choices| {
            let run = open().and_then(|(reactor, kernel)| {
                let play = Rc::new(Play::new(scene, kernel, choices));
                if observed {
                    reactor.observe(Some(Rc::clone(&play) as Rc<dyn Observer>));
                }
                play.to_the_end(&reactor)?;
                reactor.observe(None);
                Ok(play.choices())
            });
            run.unwrap_or_else(|error| {
                failed = Some(error);
                Choices::default()
            })
        });
        if let Some(error) = failed {
            return Err(error);
        }
        println!("{runs} orders, {scene:?}, observed: {observed}");
        assert!(runs >= 100, "only {runs} orders");
    }
    Ok(())
}
