//! Work on other threads: the loop goes on, results and panics come back, and names are looked up
//! there.

use std::env;
use std::io;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use futures_lite::future::{poll_once, zip};
use reactor::blocking::unblock;
use reactor::net::{TcpListener, TcpStream};

#[macro_use]
#[path = "../../executor/tests/harness/mod.rs"]
mod harness;
use harness::Variant;

on_every_backend!(
    the_loop_goes_on_while_work_blocks,
    results_of_many_works_come_back,
    a_panic_comes_back,
    work_that_has_begun_goes_on_when_it_is_given_up,
    names_are_looked_up_on_the_pool,
);

fn the_loop_goes_on_while_work_blocks(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (go, wait) = mpsc::channel();
        let ours = thread::current().id();
        let work = unblock(move || {
            wait.recv().expect("the loop goes on, and says so");
            thread::current().id()
        });
        let (theirs, ()) = zip(work, async {
            for _ in 0..10 {
                executor::yield_now().await;
            }
            go.send(()).expect("the work waits");
        })
        .await;
        assert_ne!(theirs?, ours);
        Ok(())
    })
}

fn results_of_many_works_come_back(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let works: Vec<_> = (0..100_u64).map(|n| unblock(move || n * n)).collect();
        for (n, work) in (0..).zip(works) {
            assert_eq!(work.await?, n * n);
        }
        Ok(())
    })
}

fn a_panic_comes_back(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let task = executor::spawn(async { unblock(|| panic!("of the work")).await });
        assert!(task.await.is_err());
        Ok(())
    })
}

fn work_that_has_begun_goes_on_when_it_is_given_up(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let (begin, begun) = mpsc::channel();
        let (go, wait) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let mut work = unblock(move || {
            begin.send(()).expect("the test waits");
            wait.recv().expect("the test goes on");
            end.send(()).expect("the test waits");
        });
        assert!(poll_once(&mut work).await.is_none());
        begun.recv().expect("the work begins");
        drop(work);
        go.send(()).expect("the work waits");
        ended.recv().expect("the work goes on to its end");
        Ok(())
    })
}

fn names_are_looked_up_on_the_pool(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let listener = TcpListener::bind("localhost:0").await?;
        let port = listener.local_addr()?.port();
        let (near, far) = zip(TcpStream::connect(("localhost", port)), listener.accept()).await;
        near.and(far)?;
        let error = TcpStream::connect("no.such.name.invalid:1")
            .await
            .expect_err("reserved");
        assert!(
            error
                .to_string()
                .starts_with("look up \"no.such.name.invalid:1\": "),
            "{error}"
        );
        Ok(())
    })
}

/// No thread is free, so the look-up cannot be over, however slow or fast anybody is.
#[test]
fn a_lookup_does_not_block_the_loop() {
    if env::var_os("BLOCKING_MAX_THREADS").is_none_or(|limit| limit != "1") {
        // The pool asks for its size once in a process: on in one of its own.
        let status = Command::new(env::current_exe().expect("this test"))
            .args(["--exact", "a_lookup_does_not_block_the_loop"])
            .env("BLOCKING_MAX_THREADS", "1")
            .status();
        assert!(status.expect("a process").success());
        return;
    }
    let looked_up: io::Result<()> = executor::block_on(async {
        let (go, wait) = mpsc::channel::<()>();
        let busy = unblock(move || wait.recv());
        let mut binding = Box::pin(TcpListener::bind("localhost:0"));
        for _ in 0..10 {
            assert!(poll_once(&mut binding).await.is_none(), "looked up where?");
            executor::yield_now().await;
        }
        drop(go);
        busy.await?.expect_err("nothing is sent");
        binding.await.map(drop)
    })
    .expect("a runtime");
    looked_up.expect("localhost");
}
