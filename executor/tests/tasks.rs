//! Tasks and their handles: results, panics and aborts.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use executor::{spawn, yield_now};
use reactor::time::sleep;

#[macro_use]
mod harness;
use harness::{Variant, until};

on_every_backend!(
    a_handle_yields_the_result,
    a_result_is_kept_until_it_is_asked_for,
    a_dropped_handle_detaches_its_task,
    a_panic_is_delivered_and_the_rest_runs_on,
    a_panic_of_any_type_is_delivered,
    a_handle_polled_after_its_result_panics,
    abort_before_the_first_poll,
    abort_while_it_waits,
    abort_after_the_end_changes_nothing,
    abort_of_itself,
    abort_drops_the_future_in_the_loop,
    abort_wakes_who_awaits_the_handle,
);

fn a_handle_yields_the_result(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        // Neither the future nor its result can leave the thread.
        let shared = Rc::new(7);
        let theirs = Rc::clone(&shared);
        let result = spawn(async move { theirs }).await?;
        assert!(Rc::ptr_eq(&shared, &result));
        Ok(())
    })
}

fn a_result_is_kept_until_it_is_asked_for(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let held = Rc::new(());
        let theirs = Rc::clone(&held);
        let task = spawn(async move { theirs });
        until(|| task.is_finished()).await;
        assert_eq!(runtime.tasks(), 0);
        assert_eq!(Rc::strong_count(&held), 2);
        drop(task);
        assert_eq!(
            Rc::strong_count(&held),
            1,
            "nobody will ask for it any more"
        );
        Ok(())
    })?
}

fn a_dropped_handle_detaches_its_task(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let done = Rc::new(Cell::new(0));
        for _ in 0..2 {
            let done = Rc::clone(&done);
            let task = spawn(async move {
                sleep(Duration::from_millis(1)).await;
                done.set(done.get() + 1);
            });
            drop(task);
        }
        until(|| done.get() == 2).await;
        Ok(())
    })
}

fn a_panic_is_delivered_and_the_rest_runs_on(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let other = spawn(async {
            sleep(Duration::from_millis(2)).await;
            "on"
        });
        let reason = "bad luck".to_owned();
        let error = spawn(async move {
            yield_now().await;
            panic!("{reason}");
        })
        .await
        .map(|never: ()| never)
        .expect_err("it panicked");
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.panic_message(), Some("bad luck"));
        assert_eq!(error.to_string(), "the task panicked: bad luck");
        let text = io::Error::from(error).to_string();
        assert_eq!(text, "the task panicked: bad luck");
        assert_eq!(other.await?, "on");
        assert_eq!(runtime.tasks(), 0);
        Ok(())
    })?
}

fn a_panic_of_any_type_is_delivered(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let task = spawn(async { std::panic::panic_any(42_u8) });
        let error = task.await.map(|never: ()| never).expect_err("it panicked");
        assert_eq!(error.panic_message(), None);
        let again = catch_unwind(AssertUnwindSafe(|| error.resume_panic()));
        let payload = again.map(|never: ()| never).expect_err("it goes on");
        assert_eq!(payload.downcast_ref(), Some(&42_u8));
        Ok(())
    })
}

fn a_handle_polled_after_its_result_panics(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut task = spawn(async {});
        (&mut task).await?;
        let again = spawn(task);
        let error = again.await.expect_err("it panicked");
        let sentence = "a JoinHandle was polled after it had yielded its result";
        assert_eq!(error.panic_message(), Some(sentence));
        Ok(())
    })
}

fn abort_before_the_first_poll(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let ran = Rc::new(Cell::new(false));
        let running = Rc::clone(&ran);
        let task = spawn(async move { running.set(true) });
        task.abort();
        let error = task.await.expect_err("it was aborted");
        assert!(error.is_cancelled() && !error.is_panic());
        assert_eq!(error.to_string(), "the task was cancelled");
        assert!(!ran.get());
        assert_eq!(Rc::strong_count(&ran), 1);
        Ok(())
    })
}

fn abort_while_it_waits(variant: Variant) -> io::Result<()> {
    let runtime = variant.runtime()?;
    runtime.block_on(async {
        let task = spawn(sleep(Duration::from_secs(3600)));
        yield_now().await;
        task.abort();
        task.abort();
        assert!(task.await.expect_err("it was aborted").is_cancelled());
        assert_eq!(runtime.tasks(), 0);
        Ok(())
    })?
}

fn abort_after_the_end_changes_nothing(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let task = spawn(async { 1 });
        until(|| task.is_finished()).await;
        // Somebody else lives in its place now.
        let successor = spawn(async {
            sleep(Duration::from_millis(1)).await;
            2
        });
        task.abort();
        assert_eq!(task.await?, 1);
        assert_eq!(successor.await?, 2);
        Ok(())
    })
}

fn abort_of_itself(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        for waits in [false, true] {
            let own = Rc::new(RefCell::new(None::<executor::JoinHandle<i32>>));
            let theirs = Rc::clone(&own);
            let task = spawn(async move {
                theirs
                    .borrow()
                    .as_ref()
                    .expect("the handle is here")
                    .abort();
                if waits {
                    pending::<()>().await;
                }
                3
            });
            *own.borrow_mut() = Some(task);
            until(|| {
                own.borrow()
                    .as_ref()
                    .is_some_and(executor::JoinHandle::is_finished)
            })
            .await;
            let task = own.take().expect("the handle is still here");
            match task.await {
                Ok(result) => assert!(!waits && result == 3),
                Err(error) => assert!(waits && error.is_cancelled()),
            }
        }
        Ok(())
    })
}

fn abort_drops_the_future_in_the_loop(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let held = Rc::new(());
        let theirs = Rc::clone(&held);
        let task = spawn(async move {
            let _held = theirs;
            pending::<()>().await;
        });
        yield_now().await;
        task.abort();
        assert_eq!(
            Rc::strong_count(&held),
            2,
            "dropped within the call of abort"
        );
        task.detach();
        until(|| Rc::strong_count(&held) == 1).await;
        Ok(())
    })
}

fn abort_wakes_who_awaits_the_handle(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let victim = Rc::new(RefCell::new(spawn(pending::<()>())));
        let theirs = Rc::clone(&victim);
        let waiting = spawn(poll_fn(move |cx| {
            Pin::new(&mut *theirs.borrow_mut()).poll(cx)
        }));
        yield_now().await;
        assert!(!waiting.is_finished());
        victim.borrow().abort();
        assert!(waiting.await?.expect_err("it was aborted").is_cancelled());
        Ok(())
    })
}
