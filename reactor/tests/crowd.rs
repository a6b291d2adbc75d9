//! Whom an event wakes when many wait for it, and that none of them is forgotten, whatever the ones
//! that were woken do.
#![cfg(unix)]

use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use reactor::net::{TcpListener, TcpStream};
use reactor::{Direction, Reactor, Waiting};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

mod by_hand;
use by_hand::{Count, Op, pair, poll, read_byte, wait};

on_every_backend!(
    one_connection_wakes_few_of_many,
    a_woken_one_that_is_dropped_passes_the_connection_on,
    a_woken_one_that_is_never_polled_again_keeps_nobody_asleep,
    who_takes_a_part_leaves_the_rest_to_the_others,
    a_burst_is_served_in_few_turns,
    those_who_look_are_all_woken_beside_one_who_takes,
    one_that_leaves_the_middle_of_a_crowd_leaves_the_others,
    a_taker_polled_before_its_turn_leaves_nothing_behind,
    readers_of_a_hung_up_socket_all_learn_of_it,
    ten_thousand_wait_and_fifty_come,
    a_crowd_that_goes_before_its_turn_is_woken_when_it_comes_again,
);

type Accepted = Op<'static, ()>;

/// One that waits: its operation, what counts its wakes, and its waker.
type Waits = (Accepted, Arc<Count>, Waker);

/// A listener, and tasks that wait for a connection of it, in the order of their coming.
fn crowd(size: usize) -> io::Result<(std::net::SocketAddr, Vec<Waits>)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let listener = Rc::new(TcpListener::from_std(listener)?);
    let waiting = (0..size).map(|_| {
        let listener = Rc::clone(&listener);
        let mut op: Accepted = Box::pin(async move { listener.accept().await.map(drop) });
        let (count, waker) = wait(&mut op);
        (op, count, waker)
    });
    Ok((address, waiting.collect()))
}

fn woken(crowd: &[Waits]) -> Vec<usize> {
    let woken = crowd.iter().enumerate().filter(|(_, one)| one.1.get() != 0);
    woken.map(|(number, _)| number).collect()
}

/// A connection that is in the backlog when this returns.
fn connect(address: std::net::SocketAddr) -> io::Result<std::net::TcpStream> {
    std::net::TcpStream::connect(address)
}

fn turn(reactor: &Reactor) -> io::Result<usize> {
    Ok(reactor.turn(Some(Duration::ZERO))?.woken)
}

/// Polls those of the crowd that were woken, takes out who is done; returns how many that were.
fn serve(crowd: &mut Vec<Waits>) -> io::Result<usize> {
    let mut done = 0;
    let mut failed = None;
    crowd.retain_mut(|(op, count, waker)| {
        if count.get() == 0 {
            return true;
        }
        match poll(op, waker) {
            Poll::Pending => {
                (*count, *waker) = Count::new();
                assert!(poll(op, waker).is_pending());
                true
            }
            Poll::Ready(accepted) => {
                failed = accepted.err();
                done += 1;
                false
            }
        }
    });
    failed.map_or(Ok(done), Err)
}

fn one_connection_wakes_few_of_many(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, mut crowd) = crowd(100)?;
    for served in 1..=10 {
        let _connection = connect(address)?;
        let mut woken_in_all = 0;
        let mut done = 0;
        for _ in 0..12 {
            woken_in_all += turn(&reactor)?;
            done += serve(&mut crowd)?;
        }
        assert_eq!((done, crowd.len()), (1, 100 - served));
        assert!(woken_in_all <= 4, "{woken_in_all} woken for one connection");
    }
    Ok(())
}

fn a_woken_one_that_is_dropped_passes_the_connection_on(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, mut crowd) = crowd(20)?;
    let _connection = connect(address)?;
    // All but the last are dropped as soon as they are woken.
    let mut turns = 0;
    while crowd.len() > 1 {
        reactor.turn(None)?;
        turns += 1;
        crowd.retain(|(_, count, _)| count.get() == 0);
        assert!(!crowd.is_empty() || turns > 1);
        if crowd.is_empty() {
            return Ok(());
        }
    }
    while woken(&crowd).is_empty() {
        reactor.turn(None)?;
    }
    assert_eq!(serve(&mut crowd)?, 1);
    Ok(())
}

fn a_woken_one_that_is_never_polled_again_keeps_nobody_asleep(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, crowd) = crowd(20)?;
    let _connection = connect(address)?;
    // Held, as in a `select!` that does something else meanwhile. A turn that would sleep here
    // would sleep for ever.
    for _ in 0..8 {
        if woken(&crowd).len() < crowd.len() {
            reactor.turn(None)?;
        }
    }
    assert_eq!(woken(&crowd).len(), 20);
    assert_eq!(woken(&crowd)[0], 0);
    Ok(())
}

fn who_takes_a_part_leaves_the_rest_to_the_others(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, mut crowd) = crowd(10)?;
    // Three at once: by edge that is one event.
    let _three = [connect(address)?, connect(address)?, connect(address)?];
    let mut done = 0;
    while done < 3 {
        reactor.turn(None)?;
        done += serve(&mut crowd)?;
    }
    assert_eq!(crowd.len(), 7);
    // And they go to those who came first.
    let (_, first, _) = &crowd[0];
    assert!(first.get() <= 1);
    Ok(())
}

fn a_burst_is_served_in_few_turns(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, mut crowd) = crowd(200)?;
    let connections: Vec<_> = (0..60)
        .map(|_| connect(address))
        .collect::<Result<_, _>>()?;
    let (mut turns, mut done) = (0, 0);
    while done < connections.len() {
        reactor.turn(None)?;
        turns += 1;
        done += serve(&mut crowd)?;
    }
    assert!(turns <= 10, "{turns} turns for 60 connections");
    assert_eq!(crowd.len(), 140);
    Ok(())
}

fn those_who_look_are_all_woken_beside_one_who_takes(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (near, far) = std::os::unix::net::UnixStream::pair()?;
    let far = reactor::net::UnixStream::from_std(far)?;
    let mut buffers = [[0; 8]; 4];
    let mut takers: Vec<Op<'_, usize>> = Vec::new();
    let mut lookers: Vec<Op<'_, ()>> = Vec::new();
    for buffer in &mut buffers {
        takers.push(Box::pin(far.read(buffer)));
        lookers.push(Box::pin(far.readable()));
    }
    let takers: Vec<_> = takers.iter_mut().map(wait).collect();
    let lookers: Vec<_> = lookers.iter_mut().map(wait).collect();
    (&near).write_all(b"x")?;
    turn(&reactor)?;
    let counts = |all: &[(Arc<Count>, Waker)]| all.iter().map(|(count, _)| count.get()).sum();
    let (taking, looking): (usize, usize) = (counts(&takers), counts(&lookers));
    assert_eq!(looking, 4);
    assert!((1..=2).contains(&taking), "{taking} of 4 who take");
    assert_eq!(takers[0].0.get(), 1, "who came first");
    Ok(())
}

fn one_that_leaves_the_middle_of_a_crowd_leaves_the_others(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, mut crowd) = crowd(100)?;
    let mut number = 0;
    crowd.retain(|_| {
        number += 1;
        number % 3 == 0
    });
    let waiting = || {
        let mut waiting = 0;
        reactor.for_each_waiter(|_, what| {
            let Waiting::Key { direction, .. } = what else {
                return;
            };
            assert_eq!(direction, Direction::Read);
            waiting += 1;
        });
        waiting
    };
    assert_eq!((crowd.len(), waiting()), (33, 33));
    let _connections: Vec<_> = (0..33)
        .map(|_| connect(address))
        .collect::<Result<_, _>>()?;
    while !crowd.is_empty() {
        reactor.turn(None)?;
        serve(&mut crowd)?;
    }
    assert_eq!(waiting(), 0);
    Ok(())
}

fn a_taker_polled_before_its_turn_leaves_nothing_behind(variant: Variant) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (address, mut crowd) = crowd(4)?;
    let _one = connect(address)?;
    turn(&reactor)?;
    // The last one is polled though it was not woken, as a task is that waits for other things.
    let (mut op, count, waker) = crowd.pop().expect("four");
    assert_eq!(count.get(), 0);
    assert!(poll(&mut op, &waker).is_ready());
    drop((op, waker));
    assert_eq!(Arc::strong_count(&count), 1, "its waker is still there");
    let _two = connect(address)?;
    while serve(&mut crowd)? == 0 {
        reactor.turn(None)?;
    }
    assert_eq!(count.get(), 0);
    Ok(())
}

fn a_crowd_that_goes_before_its_turn_is_woken_when_it_comes_again(
    variant: Variant,
) -> io::Result<()> {
    let reactor = variant.reactor()?;
    let _entered = reactor.enter();
    let (near, far) = std::os::unix::net::UnixStream::pair()?;
    let far = reactor::net::UnixStream::from_std(far)?;
    for _ in 0..3 {
        let mut buffers = [[0; 8]; 4];
        let mut reads: Vec<Op<'_, usize>> = Vec::new();
        for buffer in &mut buffers {
            reads.push(Box::pin(far.read(buffer)));
        }
        let counts: Vec<_> = reads.iter_mut().map(wait).collect();
        (&near).write_all(b"x")?;
        turn(&reactor)?;
        assert_eq!(counts[0].0.get(), 1);
        // Some are asleep still, and all go.
        drop(reads);
        turn(&reactor)?;
        assert_eq!(far.try_read(&mut [0; 8])?, 1);
        assert!(far.try_read(&mut [0; 8]).is_err());

        let mut buffers = [[0; 8]; 4];
        let mut reads: Vec<Op<'_, usize>> = Vec::new();
        for buffer in &mut buffers {
            reads.push(Box::pin(far.read(buffer)));
        }
        let counts: Vec<_> = reads.iter_mut().map(wait).collect();
        (&near).write_all(b"x")?;
        for _ in 0..4 {
            turn(&reactor)?;
        }
        assert!(counts.iter().all(|(count, _)| count.get() == 1), "asleep");
        drop(reads);
        assert_eq!(far.try_read(&mut [0; 8])?, 1);
        assert!(far.try_read(&mut [0; 8]).is_err());
    }
    Ok(())
}

fn readers_of_a_hung_up_socket_all_learn_of_it(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let (near, far) = std::os::unix::net::UnixStream::pair()?;
        let far = Rc::new(reactor::net::UnixStream::from_std(far)?);
        let readers: Vec<_> = (0..50)
            .map(|_| {
                let far = Rc::clone(&far);
                executor::spawn(async move { far.read(&mut [0; 8]).await })
            })
            .collect();
        executor::yield_now().await;
        drop(near);
        for reader in readers {
            assert_eq!(reader.await.expect("no panic")?, 0);
        }
        Ok(())
    })?
}

fn ten_thousand_wait_and_fifty_come(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let listener = Rc::new(TcpListener::bind("127.0.0.1:0").await?);
        let address = listener.local_addr()?;
        let all: Vec<_> = (0..10_000)
            .map(|_| {
                let listener = Rc::clone(&listener);
                executor::spawn(async move { listener.accept().await.map(drop) }).abort_on_drop()
            })
            .collect();
        while runtime.metrics().polls < 10_000 {
            executor::yield_now().await;
        }
        let before = runtime.metrics().polls;
        for come in 1..=50 {
            let _connection = TcpStream::connect(address).await?;
            while all.iter().filter(|task| task.is_finished()).count() < come {
                executor::yield_now().await;
            }
        }
        let polls = runtime.metrics().polls - before;
        assert!(polls < 5_000, "{polls} polls for 50 connections");
        drop(all);
        Ok(())
    })?
}

/// The poll-style waiter is no object that could be dropped: it holds nobody up.
#[test]
fn a_poll_style_waiter_that_stops_polling_keeps_nobody_asleep() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let _entered = reactor.enter();
    let (mut near, far) = pair()?;
    let (count, waker) = Count::new();
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(far.poll_readable(&mut cx).is_pending());
    let mut read = read_byte(&far);
    let (other, other_waker) = wait(&mut read);
    near.write_all(b"a")?;
    reactor.turn(None)?;
    assert_eq!((count.get(), other.get()), (1, 1));
    assert!(poll(&mut read, &other_waker).is_ready());
    Ok(())
}
