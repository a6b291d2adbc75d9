//! Between two looks at the kernel: who was woken by the first is polled before the second, where
//! keys are level-triggered. Otherwise a look would park their keys, and arm them again later.

use std::cell::Cell;
use std::io;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use executor::spawn;
use reactor::net::TcpStream;
use reactor::observe::{Event, Observer};
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, pair, until};

on_every_backend!(
    a_round_of_many_changes_no_interest,
    a_reader_who_is_away_changes_no_interest_while_nothing_comes,
    a_reader_who_is_away_keeps_nobody_awake,
);

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

fn a_reader_who_is_away_changes_no_interest_while_nothing_comes(
    variant: Variant,
) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (near, far) = pair().await?;
        let modified = Rc::new(Modified::default());
        for _ in 0..4 {
            near.write_all(b"x").await?;
            assert_eq!(far.read(&mut [0; 8]).await?, 1);
            sleep(Duration::from_millis(1)).await;
            let observer = Rc::clone(&modified) as Rc<dyn Observer>;
            runtime.reactor().observe(Some(observer));
        }
        assert_eq!(modified.0.get(), 0);
        Ok(())
    })?
}

fn a_reader_who_is_away_keeps_nobody_awake(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (near, far) = pair().await?;
        for byte in 0..4 {
            near.write_all(&[byte, byte]).await?;
            let mut buffer = [0xff];
            assert_eq!(far.read(&mut buffer).await?, 1);
            let turns = runtime.metrics().turns;
            sleep(Duration::from_millis(5)).await;
            let turns = runtime.metrics().turns - turns;
            assert!(turns < 50, "it turned {turns} times");
            assert_eq!(far.read(&mut buffer).await?, 1);
            assert_eq!(buffer, [byte]);
        }
        Ok(())
    })?
}
