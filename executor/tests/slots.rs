//! What one task leaves in its slot and its box is not seen by the next.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::io;
use std::rc::Rc;

use executor::{JoinHandle, block_on, dump, spawn, spawn_named, yield_now};

/// The slot of a task, of which its number is made.
fn slot<T>(task: &JoinHandle<T>) -> u64 {
    task.id().number() & 0xff_ffff
}

#[test]
fn a_handle_that_outlives_its_task_keeps_its_result() -> io::Result<()> {
    block_on(async {
        let first = spawn(async { 1 });
        yield_now().await;
        let second = spawn(async { 2 });
        yield_now().await;
        let third = spawn(async { 3 });
        assert_eq!(slot(&first), slot(&second), "the slot was free again");
        assert_eq!(slot(&first), slot(&third), "the slot was free again");
        assert_eq!(third.await?, 3);
        assert_eq!(second.await?, 2);
        assert_eq!(first.await?, 1);
        Ok(())
    })?
}

/// Tasks of one type, which may have each other's boxes.
async fn returns(text: &str) -> String {
    yield_now().await;
    text.to_owned()
}

#[test]
fn a_handle_that_outlives_its_task_keeps_its_result_when_the_box_is_used_again() -> io::Result<()> {
    block_on(async {
        let first = spawn(returns("first"));
        while !first.is_finished() {
            yield_now().await;
        }
        let second = spawn(returns("second"));
        assert!(!second.is_finished());
        while !second.is_finished() {
            yield_now().await;
        }
        assert_eq!(spawn(returns("third")).await?, "third");
        assert_eq!(second.await?, "second");
        assert_eq!(first.await?, "first");
        Ok(())
    })?
}

#[test]
fn a_box_whose_last_task_was_aborted_or_panicked_is_good_again() -> io::Result<()> {
    async fn task(fails: bool) -> u8 {
        yield_now().await;
        assert!(!fails, "as it was asked to");
        1
    }
    block_on(async {
        for _ in 0..2 {
            let aborted = spawn(task(false));
            aborted.abort();
            assert!(aborted.await.is_err_and(|error| error.is_cancelled()));
            assert_eq!(spawn(task(false)).await?, 1);
            let panics = spawn(task(true)).await;
            assert_eq!(
                panics
                    .err()
                    .as_ref()
                    .and_then(|error| error.panic_message()),
                Some("as it was asked to")
            );
            assert_eq!(spawn(task(false)).await?, 1);
        }
        Ok(())
    })?
}

#[test]
fn a_thousand_tasks_of_one_type_at_once_then_others() -> io::Result<()> {
    block_on(async {
        for _ in 0..2 {
            let numbers: Vec<_> = (0..1000)
                .map(|number| spawn(async move { number }))
                .collect();
            for (number, task) in numbers.into_iter().enumerate() {
                assert_eq!(task.await?, number);
            }
            let texts: Vec<_> = (0..100).map(|_| spawn(returns("text"))).collect();
            for task in texts {
                assert_eq!(task.await?, "text");
            }
        }
        Ok(())
    })?
}

#[test]
fn tasks_of_one_slot_may_return_different_types() -> io::Result<()> {
    block_on(async {
        for round in 0..3 {
            let number = spawn(async move { round });
            let place = slot(&number);
            assert_eq!(number.await?, round);
            let text = spawn(async move { round.to_string() });
            assert_eq!(slot(&text), place);
            assert_eq!(text.await?, round.to_string());
        }
        Ok(())
    })?
}

#[test]
fn a_handle_of_the_next_task_is_not_finished() -> io::Result<()> {
    block_on(async {
        spawn(async {}).await?;
        let next = spawn(async {});
        assert!(!next.is_finished());
        next.await?;
        Ok(())
    })?
}

#[test]
fn the_result_of_a_detached_task_is_dropped_with_it() -> io::Result<()> {
    block_on(async {
        let held = Rc::new(());
        for _ in 0..2 {
            let theirs = Rc::clone(&held);
            spawn(async move { theirs }).detach();
            yield_now().await;
            assert_eq!(Rc::strong_count(&held), 1, "nobody will ask for it");
        }
    })
}

#[test]
fn a_detached_task_does_not_detach_the_next() -> io::Result<()> {
    block_on(async {
        spawn(async { 1 }).detach();
        yield_now().await;
        let next = spawn(async { 2 });
        yield_now().await;
        assert_eq!(next.await?, 2);
        Ok(())
    })?
}

/// Panics when it is dropped, unless it was told not to.
struct Bomb(Rc<Cell<bool>>);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0.replace(false), "it goes off");
    }
}

#[test]
fn a_result_whose_destructor_panics_ends_its_task_only() -> io::Result<()> {
    block_on(async {
        let armed = Rc::new(Cell::new(true));
        let bomb = Bomb(Rc::clone(&armed));
        spawn(async move { bomb }).detach();
        yield_now().await;
        assert!(!armed.get(), "it went off");
        assert_eq!(spawn(async { 2 }).await?, 2);
        Ok(())
    })?
}

/// Writes its number down when it is dropped.
struct Last(u8, Rc<RefCell<Vec<u8>>>);

impl Drop for Last {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

#[test]
fn the_future_of_a_detached_task_is_dropped_before_its_result() -> io::Result<()> {
    block_on(async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let future = Last(1, Rc::clone(&order));
        let mut result = Some(Last(2, Rc::clone(&order)));
        spawn(std::future::poll_fn(move |_| {
            let _part_of_the_future = &future;
            std::task::Poll::Ready(result.take())
        }))
        .detach();
        yield_now().await;
        assert_eq!(*order.borrow(), [1, 2]);
    })
}

#[test]
fn a_name_goes_with_its_task() -> io::Result<()> {
    block_on(async {
        spawn_named("first", async {}).await?;
        let next = spawn(pending::<()>());
        assert_eq!(dump()[0].name, None);
        drop(next);
        let third = spawn_named("third", pending::<()>());
        let names: Vec<_> = dump().into_iter().map(|task| task.name).collect();
        assert_eq!(names, [None, third.name().map(Rc::from)]);
        Ok(())
    })?
}
