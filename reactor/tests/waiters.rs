//! Who is woken: everybody who waits in the direction that became ready, nobody who has left,
//! and each of them once.
#![cfg(unix)]

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use reactor::{Direction, Waiting};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{Count, Op, fill, pair, poll, read_byte, settle, wait};

on_every_backend!(
    all_who_wait_in_one_direction_are_woken,
    only_the_ready_direction_is_woken,
    a_hang_up_wakes_both_directions,
    a_reader_and_a_writer_do_not_mix_whoever_came_first,
    one_that_leaves_takes_only_its_own_waker,
    leaving_first_second_or_last_makes_no_difference,
    a_waiter_polled_again_is_woken_once,
    a_waiter_that_moves_up_and_leaves_leaves_nothing,
    the_waker_of_the_last_poll_is_the_one_that_is_called,
    nobody_is_woken_when_nobody_waits,
    interest_that_comes_and_goes_is_still_served,
);

fn all_who_wait_in_one_direction_are_woken(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let mut reads: Vec<_> = (0..5).map(|_| read_byte(&far)).collect();
    let counts: Vec<_> = reads.iter_mut().map(wait).collect();
    near.write_all(b"ab")?;
    reactor.turn(None)?;
    assert!(counts.iter().all(|(count, _)| count.get() == 1));

    // Two of them find a byte, in order; the others wait again, and are woken again.
    let mut found = Vec::new();
    let mut left = Vec::new();
    for (mut read, (count, waker)) in reads.into_iter().zip(counts) {
        match poll(&mut read, &waker) {
            Poll::Ready(byte) => found.push(byte?),
            Poll::Pending => left.push((read, count, waker)),
        }
    }
    assert_eq!(found, b"ab");
    near.write_all(b"cde")?;
    reactor.turn(None)?;
    for (read, count, waker) in &mut left {
        assert_eq!(count.get(), 2);
        assert!(poll(read, waker).is_ready());
    }
    Ok(())
}

fn only_the_ready_direction_is_woken(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    fill(&far);
    let mut read = read_byte(&far);
    let (reader, _) = wait(&mut read);
    let mut write: Op<'_, usize> = Box::pin(far.write_with(|mut far| far.write(b"x")));
    let (writer, waker) = Count::new();
    assert!(poll(&mut write, &waker).is_pending());
    assert_eq!(settle(&reactor)?, 0);

    near.write_all(b"a")?;
    settle(&reactor)?;
    assert_eq!((reader.get(), writer.get()), (1, 0));
    let mut sink = vec![0; 1 << 20];
    assert_ne!(near.read(&mut sink)?, 0);
    while writer.get() == 0 {
        near.set_nonblocking(true)?;
        let _ = near.read(&mut sink);
        reactor.turn(Some(Duration::ZERO))?;
    }
    assert_eq!(reader.get(), 1);
    assert!(poll(&mut write, &waker).is_ready());
    Ok(())
}

fn a_hang_up_wakes_both_directions(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (near, far) = pair()?;
    fill(&far);
    let mut read = read_byte(&far);
    let (reader, read_waker) = wait(&mut read);
    let mut write: Op<'_, usize> = Box::pin(far.write_with(|mut far| far.write(b"x")));
    let (writer, write_waker) = Count::new();
    assert!(poll(&mut write, &write_waker).is_pending());
    drop(near);
    settle(&reactor)?;
    assert_eq!((reader.get(), writer.get()), (1, 1));
    let broken = |result| matches!(result, Poll::Ready(Err(_)));
    assert!(matches!(poll(&mut read, &read_waker), Poll::Ready(Err(_))));
    assert!(broken(poll(&mut write, &write_waker)));
    Ok(())
}

fn a_reader_and_a_writer_do_not_mix_whoever_came_first(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let directions = || {
        let mut all = Vec::new();
        reactor.for_each_waiter(|_, what| {
            if let Waiting::Key { direction, .. } = what {
                all.push(direction);
            }
        });
        all.sort_by_key(|direction| *direction as u8);
        all
    };
    for writer_first in [false, true] {
        let (mut near, far) = pair()?;
        fill(&far);
        let mut read = read_byte(&far);
        let mut write: Op<'_, usize> = Box::pin(far.write_with(|mut far| far.write(b"x")));
        let ((reader, _), (writer, _)) = if writer_first {
            let writer = wait(&mut write);
            (wait(&mut read), writer)
        } else {
            (wait(&mut read), wait(&mut write))
        };
        assert_eq!(directions(), [Direction::Read, Direction::Write]);
        // The reader leaves and comes back behind the writer.
        drop(read);
        assert_eq!(directions(), [Direction::Write]);
        let mut read = read_byte(&far);
        let (again, waker) = wait(&mut read);
        assert_eq!(directions(), [Direction::Read, Direction::Write]);
        near.write_all(b"a")?;
        settle(&reactor)?;
        assert_eq!((reader.get(), again.get(), writer.get()), (0, 1, 0));
        assert!(matches!(poll(&mut read, &waker), Poll::Ready(Ok(b'a'))));
        assert_eq!(directions(), [Direction::Write]);
    }
    Ok(())
}

fn one_that_leaves_takes_only_its_own_waker(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    for leaves in 0..2 {
        let (mut near, far) = pair()?;
        let mut reads = [Some(read_byte(&far)), Some(read_byte(&far))];
        let counts = reads
            .each_mut()
            .map(|read| wait(read.as_mut().expect("both are here")).0);
        reads[leaves] = None;
        near.write_all(b"a")?;
        settle(&reactor)?;
        assert_eq!(counts[leaves].get(), 0, "woken after it had left");
        assert_eq!(
            counts[1 - leaves].get(),
            1,
            "forgotten because another one left"
        );
    }
    Ok(())
}

fn leaving_first_second_or_last_makes_no_difference(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    for leaves in 0..4 {
        let (mut near, far) = pair()?;
        let mut reads: Vec<_> = (0..4).map(|_| Some(read_byte(&far))).collect();
        let wakers: Vec<_> = reads
            .iter_mut()
            .map(|read| wait(read.as_mut().expect("all are here")))
            .collect();
        reads[leaves] = None;
        // The others are polled again, as a task is that waits for other things too.
        for (read, (_, waker)) in reads.iter_mut().zip(&wakers) {
            assert!(
                read.as_mut()
                    .is_none_or(|read| poll(read, waker).is_pending())
            );
        }
        near.write_all(b"a")?;
        settle(&reactor)?;
        for (number, (count, _)) in wakers.iter().enumerate() {
            assert_eq!(
                count.get(),
                usize::from(number != leaves),
                "{number} of 4, {leaves} left"
            );
        }
    }
    Ok(())
}

fn a_waiter_polled_again_is_woken_once(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let (mut first, mut second) = (read_byte(&far), read_byte(&far));
    let (counts, wakers): (Vec<_>, Vec<_>) =
        [wait(&mut first), wait(&mut second)].into_iter().unzip();
    for _ in 0..3 {
        assert!(poll(&mut first, &wakers[0]).is_pending());
        assert!(poll(&mut second, &wakers[1]).is_pending());
    }
    near.write_all(b"a")?;
    settle(&reactor)?;
    assert_eq!((counts[0].get(), counts[1].get()), (1, 1));
    Ok(())
}

fn a_waiter_that_moves_up_and_leaves_leaves_nothing(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    // Two tasks that give up reading an idle socket, again and again: what a timeout does.
    let mut gone = Vec::new();
    for _ in 0..10 {
        let (mut first, mut second) = (read_byte(&far), read_byte(&far));
        wait(&mut first);
        let (count, waker) = wait(&mut second);
        drop(first);
        assert!(poll(&mut second, &waker).is_pending());
        drop((second, waker));
        assert_eq!(
            Arc::strong_count(&count),
            1,
            "the slot still holds its waker"
        );
        gone.push(count);
    }
    near.write_all(b"a")?;
    settle(&reactor)?;
    assert!(gone.iter().all(|count| count.get() == 0));
    Ok(())
}

fn the_waker_of_the_last_poll_is_the_one_that_is_called(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let (mut first, mut second) = (read_byte(&far), read_byte(&far));
    let before = [wait(&mut first), wait(&mut second)];
    let after = [wait(&mut first), wait(&mut second)];
    near.write_all(b"a")?;
    settle(&reactor)?;
    assert!(before.iter().all(|(count, _)| count.get() == 0));
    assert!(after.iter().all(|(count, _)| count.get() == 1));
    Ok(())
}

fn nobody_is_woken_when_nobody_waits(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let mut read = read_byte(&far);
    let (count, waker) = wait(&mut read);
    drop(read);
    near.write_all(b"a")?;
    assert_eq!(settle(&reactor)?, 0);
    // The kernel is asked once more, then it is silent although the byte is still there.
    assert_eq!(
        reactor.turn(Some(Duration::ZERO))?.ready,
        0,
        "the loop would spin"
    );
    assert_eq!(count.get(), 0);
    // And the byte is not lost.
    assert!(matches!(
        poll(&mut read_byte(&far), &waker),
        Poll::Ready(Ok(b'a'))
    ));
    Ok(())
}

fn interest_that_comes_and_goes_is_still_served(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    for byte in 0..20 {
        let mut read = read_byte(&far);
        let (_, waker) = wait(&mut read);
        for _ in 0..byte % 3 {
            // Dropped and wanted again, with and without a turn in between.
            read = read_byte(&far);
            if byte % 2 == 0 {
                settle(&reactor)?;
            }
            assert!(poll(&mut read, &waker).is_pending());
        }
        near.write_all(&[byte])?;
        settle(&reactor)?;
        assert!(matches!(poll(&mut read, &waker), Poll::Ready(Ok(found)) if found == byte));
    }
    Ok(())
}
