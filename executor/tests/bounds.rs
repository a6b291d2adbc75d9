//! What crosses threads, and what fits into the error types of others.
#![cfg(unix)]

use std::error::Error;
use std::io;

use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::rc::Rc;

use executor::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use executor::{
    AbortHandle, AbortOnDrop, Async, Id, JoinError, JoinHandle, LocalSpawner, Reactor, Runtime,
    SendHandle, Spawner, TaskSet, time,
};

fn is_send_and_sync<T: Send + Sync>() {}
fn may_be_caught<T: UnwindSafe + RefUnwindSafe>() {}
fn is_an_error_for_everybody<T: Error + Send + Sync + 'static>() {}

#[test]
fn what_crosses_threads_is_send_and_sync() {
    is_send_and_sync::<Spawner>();
    is_send_and_sync::<SendHandle<u8>>();
    is_send_and_sync::<Id>();
    is_send_and_sync::<AbortHandle>();
    is_an_error_for_everybody::<JoinError>();
}

/// Nothing of ours is borrowed or half done while code of others runs, so a panic that is caught
/// leaves it whole.
#[test]
fn what_a_panic_leaves_may_be_used_again() -> io::Result<()> {
    may_be_caught::<Runtime>();
    may_be_caught::<Reactor>();
    may_be_caught::<JoinHandle<Rc<u8>>>();
    may_be_caught::<AbortOnDrop<Rc<u8>>>();
    may_be_caught::<SendHandle<u8>>();
    may_be_caught::<AbortHandle>();
    may_be_caught::<JoinError>();
    may_be_caught::<TaskSet<Rc<u8>>>();
    may_be_caught::<Spawner>();
    may_be_caught::<LocalSpawner>();
    may_be_caught::<TcpListener>();
    may_be_caught::<TcpStream>();
    may_be_caught::<UdpSocket>();
    may_be_caught::<UnixListener>();
    may_be_caught::<UnixStream>();
    may_be_caught::<UnixDatagram>();
    may_be_caught::<Async<std::os::fd::OwnedFd>>();
    may_be_caught::<time::Sleep>();
    may_be_caught::<time::Interval>();

    let runtime = Runtime::new()?;
    let task = runtime.spawn(async { 7 });
    let caught = catch_unwind(|| runtime.block_on(async { panic!("the root") }));
    assert!(caught.map(|ran: io::Result<()>| ran).is_err());
    assert_eq!(catch_unwind(move || runtime.block_on(task)).unwrap()??, 7);
    Ok(())
}

#[test]
fn a_join_error_gives_the_payload_out_once_and_names_its_task() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let panicked = runtime.spawn(async { std::panic::panic_any(7_u8) });
    let aborted = runtime.spawn(std::future::pending::<()>());
    aborted.abort();
    let (panicking, cancelled) = (panicked.id(), aborted.id());
    let error = runtime.block_on(panicked)?.map(|never: ()| never);
    let error = error.expect_err("it panicked");
    assert_eq!(error.id(), Some(panicking));
    let payload = error.try_into_panic().expect("a payload");
    assert_eq!(payload.downcast_ref(), Some(&7_u8));

    let error = runtime.block_on(aborted)?.expect_err("it was aborted");
    assert_eq!(error.id(), Some(cancelled));
    let error = error.try_into_panic().expect_err("no payload");
    assert!(error.is_cancelled() && error.id() == Some(cancelled));
    let told = catch_unwind(AssertUnwindSafe(|| error.into_panic()));
    let told = told.expect_err("there is no payload");
    assert_eq!(told.downcast_ref(), Some(&"the task was cancelled"));

    // One that never became a task has no name.
    let spawner = runtime.spawner();
    drop(runtime);
    let error = futures_lite::future::block_on(spawner.spawn(async {}));
    assert_eq!(error.expect_err("nobody ran it").id(), None);
    Ok(())
}

async fn passes_it_on(task: JoinHandle<()>) -> Result<(), Box<dyn Error + Send + Sync>> {
    task.await?;
    Ok(())
}

#[test]
fn a_join_error_passes_through_any_error_type_with_its_payload() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let error = runtime
        .block_on(async { passes_it_on(executor::spawn(async { panic!("literally") })).await })?;
    let error = error.expect_err("it panicked");
    let error: &JoinError = error.downcast_ref().expect("it is there");
    assert_eq!(error.panic_message(), Some("literally"));

    // An io::Error keeps it as well, with a payload that is no text.
    let error =
        runtime.block_on(async { executor::spawn(async { std::panic::panic_any(7_u8) }).await })?;
    let error = io::Error::from(error.map(drop).expect_err("it panicked"));
    assert_eq!(error.to_string(), "the task panicked");
    let inner = error.into_inner().expect("the join error");
    let error: Box<JoinError> = inner.downcast().expect("it is there");
    assert_eq!(error.panic_message(), None);
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| error.resume_panic()));
    let payload = payload.map(|never: ()| never).expect_err("it panics");
    assert_eq!(payload.downcast_ref(), Some(&7_u8));
    Ok(())
}
