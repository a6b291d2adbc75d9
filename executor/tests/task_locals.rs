//! Task-locals: each task has its own, in destructors as well, and a panic leaks none.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use executor::{spawn, yield_now};

#[macro_use]
mod harness;
use harness::{Variant, until};

executor::task_local! {
    /// Which request a task works for.
    static REQUEST: u32;
    static NAME: String;
}

on_every_backend!(
    tasks_that_alternate_keep_their_own,
    a_scope_within_a_scope_hides_the_outer_value,
    two_locals_do_not_meet,
    a_destructor_finds_the_value,
    the_value_is_dropped_with_the_scope,
    a_panic_leaks_no_value,
    a_task_spawned_in_a_scope_has_no_value,
    without_a_scope_there_is_a_sentence,
    a_value_that_is_taken_is_gone,
);

// Without its last semicolon, and without any.
executor::task_local! {
    static SHARED: Rc<Cell<u32>>;
    pub(crate) static LAST: u32
}
executor::task_local! {}

fn request() -> Option<u32> {
    REQUEST.try_with(|request| *request)
}

fn tasks_that_alternate_keep_their_own(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                spawn(REQUEST.scope(number, async move {
                    for _ in 0..10 {
                        assert_eq!(request(), Some(number));
                        yield_now().await;
                    }
                }))
            })
            .collect();
        for task in tasks {
            assert_eq!(request(), None);
            task.await?;
        }
        Ok(())
    })
}

fn a_scope_within_a_scope_hides_the_outer_value(variant: Variant) -> io::Result<()> {
    variant.block_on(REQUEST.scope(1, async {
        assert_eq!(request(), Some(1));
        let inner = REQUEST.scope(2, async {
            assert_eq!(request(), Some(2));
            yield_now().await;
            assert_eq!(request(), Some(2));
        });
        inner.await;
        assert_eq!(request(), Some(1));
        Ok(())
    }))
}

fn two_locals_do_not_meet(variant: Variant) -> io::Result<()> {
    variant.block_on(REQUEST.scope(
        1,
        NAME.scope("echo".to_owned(), async {
            yield_now().await;
            assert_eq!(request(), Some(1));
            NAME.with(|name| assert_eq!(name, "echo"));
            Ok(())
        }),
    ))
}

/// Notes the request that it is dropped for.
struct Notes(Rc<RefCell<Vec<Option<u32>>>>);

impl Drop for Notes {
    fn drop(&mut self) {
        self.0.borrow_mut().push(request());
    }
}

fn a_destructor_finds_the_value(variant: Variant) -> io::Result<()> {
    let noted = Rc::new(RefCell::new(Vec::new()));
    let holding = |number| {
        let notes = Notes(Rc::clone(&noted));
        REQUEST.scope(number, async move {
            let _notes = notes;
            pending::<()>().await;
        })
    };
    let runtime = variant.runtime()?;
    // Aborted after a poll, aborted before the first, and dropped with the runtime.
    runtime.block_on(async {
        let task = spawn(holding(1));
        yield_now().await;
        task.abort();
        assert!(task.await.is_err());
        let task = spawn(holding(2));
        task.abort();
        assert!(task.await.is_err());
        spawn(holding(3)).detach();
        yield_now().await;
    })?;
    drop(runtime);
    drop(holding(4));
    assert_eq!(*noted.borrow(), [Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(request(), None);
    Ok(())
}

fn the_value_is_dropped_with_the_scope(variant: Variant) -> io::Result<()> {
    executor::task_local! {
        static HELD: Rc<()>;
    }
    variant.block_on(async {
        let held = Rc::new(());
        let task = spawn(HELD.scope(Rc::clone(&held), pending::<()>()));
        yield_now().await;
        assert_eq!(Rc::strong_count(&held), 2);
        task.abort();
        task.detach();
        until(|| Rc::strong_count(&held) == 1).await;
        Ok(())
    })
}

fn a_panic_leaks_no_value(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let task = spawn(REQUEST.scope(1, async { panic!("in the scope") }));
        assert!(task.await.map(|never: ()| never).is_err());
        assert_eq!(request(), None);
        Ok(())
    })?;
    // The same without a task around it.
    let root = REQUEST.scope(2, async { panic!("in the root") });
    let runtime = variant.runtime()?;
    let run = catch_unwind(AssertUnwindSafe(|| runtime.block_on::<_>(root)));
    assert!(run.map(|ran: io::Result<()>| ran).is_err());
    assert_eq!(request(), None);
    Ok(())
}

fn a_task_spawned_in_a_scope_has_no_value(variant: Variant) -> io::Result<()> {
    variant.block_on(REQUEST.scope(1, async {
        let seen = Rc::new(Cell::new(Some(0)));
        let theirs = Rc::clone(&seen);
        spawn(async move { theirs.set(request()) }).await?;
        assert_eq!(seen.get(), None);
        Ok(())
    }))
}

fn without_a_scope_there_is_a_sentence(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let task = spawn(async { REQUEST.with(|request| *request) });
        let error = task.await.expect_err("it panicked");
        let sentence = "this task-local has no value here: use it inside its `scope`";
        assert_eq!(error.panic_message(), Some(sentence));
        Ok(())
    })
}

fn a_value_that_is_taken_is_gone(variant: Variant) -> io::Result<()> {
    variant.block_on(async {
        let mut scope = Box::pin(LAST.scope(1, async {
            assert_eq!(LAST.get(), 1);
            yield_now().await;
            LAST.try_get()
        }));
        assert!(futures_lite::future::poll_once(&mut scope).await.is_none());
        assert_eq!(scope.as_mut().take_value(), Some(1));
        assert_eq!(scope.as_mut().take_value(), None);
        // Nor does it find that of a scope around it.
        assert_eq!(LAST.scope(2, scope).await, None);
        let shared = Rc::new(Cell::new(0));
        let body = async { SHARED.get().set(7) };
        SHARED.scope(Rc::clone(&shared), body).await;
        assert_eq!((shared.get(), Rc::strong_count(&shared)), (7, 1));
        Ok(())
    })
}
