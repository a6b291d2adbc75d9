//! What crosses threads, and what fits into the error types of others.

use std::error::Error;
use std::io;

use executor::{Id, JoinError, JoinHandle, Runtime, SendHandle, Spawner};

fn is_send_and_sync<T: Send + Sync>() {}
fn is_an_error_for_everybody<T: Error + Send + Sync + 'static>() {}

#[test]
fn what_crosses_threads_is_send_and_sync() {
    is_send_and_sync::<Spawner>();
    is_send_and_sync::<SendHandle<u8>>();
    is_send_and_sync::<Id>();
    is_an_error_for_everybody::<JoinError>();
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
