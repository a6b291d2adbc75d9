//! How often a listener is asked: once for each connection, where one comes at a time, and no more than
//! once in vain for a burst; and that nobody is asked, and nothing turns, where nobody accepts.

use std::io;
use std::net::TcpStream as Blocking;
use std::time::Duration;

use futures_lite::future::poll_once;
use reactor::Reactor;
use reactor::net::TcpListener;
use reactor::time::sleep;
use selectors_core::sys::fault;

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    who_comes_alone_costs_one_call,
    a_burst_is_accepted_in_few_turns,
    where_nobody_accepts_nothing_turns_and_nobody_is_lost,
    many_who_accept_share_what_comes,
    who_handles_inline_changes_no_interest,
);

fn turns() -> u64 {
    Reactor::current().metrics().turns
}

/// Other things happen, as they do between two connections.
async fn some_turns() {
    let before = turns();
    while turns() < before + 3 {
        executor::yield_now().await;
    }
}

fn who_comes_alone_costs_one_call(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let _accepting = executor::spawn(async move { while listener.accept().await.is_ok() {} });
        some_turns().await;
        let before = fault::count("accept4");
        for round in 1..=20 {
            let _client = Blocking::connect(address)?;
            some_turns().await;
            assert_eq!(fault::count("accept4"), before + round);
        }
        Ok(())
    })
}

fn a_burst_is_accepted_in_few_turns(variant: Variant) -> io::Result<()> {
    const MANY: usize = 100;
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        for _ in 0..2 {
            some_turns().await;
            let clients: io::Result<Vec<_>> =
                (0..MANY).map(|_| Blocking::connect(address)).collect();
            let (clients, calls, before) = (clients?, fault::count("accept4"), turns());
            for client in &clients {
                let (_server, from) = listener.accept().await?;
                assert_eq!(from, client.local_addr()?);
            }
            let (calls, turns) = (fault::count("accept4") - calls, turns() - before);
            assert!(calls <= MANY + 2, "{calls} calls");
            assert!(turns <= 20, "{turns} turns");
        }
        Ok(())
    })
}

/// By level the connection is told of in each wait, until somebody accepts it or the key changes.
fn where_nobody_accepts_nothing_turns_and_nobody_is_lost(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        for round in 0..3 {
            // It waits, and gives up.
            assert!(poll_once(listener.accept()).await.is_none());
            let clients = [Blocking::connect(address)?, Blocking::connect(address)?];
            let before = turns();
            sleep(Duration::from_millis(50)).await;
            let turns = turns() - before;
            assert!(
                turns <= 10,
                "{turns} turns while nobody accepts, in round {round}"
            );
            for client in &clients {
                let (_server, from) = listener.accept().await?;
                assert_eq!(from, client.local_addr()?);
            }
            some_turns().await;
        }
        Ok(())
    })
}

fn many_who_accept_share_what_comes(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = std::rc::Rc::new(TcpListener::bind("127.0.0.1:0").await?);
        let address = listener.local_addr()?;
        let accepting = |connections| {
            let listener = std::rc::Rc::clone(&listener);
            executor::spawn(async move {
                for _ in 0..connections {
                    listener.accept().await?;
                    some_turns().await;
                }
                io::Result::Ok(())
            })
        };
        let tasks: Vec<_> = (0..4).map(|_| accepting(5)).collect();
        some_turns().await;
        let mut clients = Vec::new();
        for at_once in [1, 1, 3, 1, 4, 2, 8] {
            for _ in 0..at_once {
                clients.push(Blocking::connect(address)?);
            }
            sleep(Duration::from_millis(5)).await;
        }
        for task in tasks {
            task.await.expect("no panic")?;
        }
        let before = turns();
        sleep(Duration::from_millis(50)).await;
        let turns = turns() - before;
        assert!(turns <= 10, "{turns} turns while nothing comes");
        Ok(())
    })
}

/// Who handles a connection before it accepts the next one. An event finds nobody then, and each that comes
/// costs no more changes of interest than the first few.
fn who_handles_inline_changes_no_interest(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut changes = Vec::new();
        let mut client = Blocking::connect(address)?;
        for _ in 0..20 {
            let (_server, from) = listener.accept().await?;
            assert_eq!(from, client.local_addr()?);
            // While this one is served, the next one comes.
            client = Blocking::connect(address)?;
            sleep(Duration::from_millis(2)).await;
            changes.push(fault::count("epoll_ctl") + fault::count("fcntl"));
        }
        assert_eq!(changes[4], changes[19], "{changes:?}");
        Ok(())
    })
}
