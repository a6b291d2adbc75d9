//! Between two looks at the kernel: who was woken by the first is polled before the second, where
//! keys are level-triggered. Otherwise a look would park their keys, and arm them again later.

use std::cell::Cell;
use std::io;
use std::panic::Location;
use std::rc::Rc;

use executor::spawn;
use reactor::net::TcpStream;
use reactor::observe::{Event, Observer};

#[macro_use]
mod harness;
use harness::{Variant, pair, until};

on_every_backend!(a_round_of_many_changes_no_interest);

/// More than the polls between two looks of an edge-triggered loop.
const MANY: usize = 100;

/// Counts how often the kernel is told of another interest.
#[derive(Default)]
struct Modified(Cell<usize>);

impl Observer for Modified {
    fn event(&self, event: Event<'_>, _at: &'static Location<'static>) {
        if let Event::Modify { .. } = event {
            self.0.set(self.0.get() + 1);
        }
    }
}

/// Counts each byte that comes.
async fn count(stream: TcpStream, bytes: Rc<Cell<usize>>) -> io::Result<()> {
    while stream.read(&mut [0]).await? != 0 {
        bytes.set(bytes.get() + 1);
    }
    Ok(())
}

fn a_round_of_many_changes_no_interest(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let bytes = Rc::new(Cell::new(0));
        let mut peers = Vec::new();
        for _ in 0..MANY {
            let (near, far) = pair().await?;
            spawn(count(far, Rc::clone(&bytes))).detach();
            peers.push(near);
        }
        let modified = Rc::new(Modified::default());
        for round in 1..4 {
            // In one poll, or some of them would be looked at before others are written to.
            executor::unconstrained(async {
                for peer in &peers {
                    peer.write_all(b"x").await?;
                }
                io::Result::Ok(())
            })
            .await?;
            until(|| bytes.get() == round * MANY).await;
            // All are armed by now: only from here on does it count.
            let observer = Rc::clone(&modified) as Rc<dyn Observer>;
            runtime.reactor().observe(Some(observer));
        }
        assert_eq!(modified.0.get(), 0);
        Ok(())
    })?
}
