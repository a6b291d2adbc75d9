//! The order of tasks under a seed, and the spawn traits of the ecosystem.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::mpsc;

use executor::Runtime;
use futures_task::{FutureObj, LocalFutureObj, LocalSpawn, Spawn, SpawnError};

/// The order in which twenty tasks run that are woken together.
fn order(seed: Option<u64>) -> io::Result<Vec<u32>> {
    let mut builder = Runtime::builder();
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    let runtime = builder.build()?;
    let order = Rc::new(RefCell::new(Vec::new()));
    for number in 0..20 {
        let order = Rc::clone(&order);
        runtime
            .spawn(async move { order.borrow_mut().push(number) })
            .detach();
    }
    runtime.run_until_stalled();
    Ok(order.take())
}

#[test]
fn without_a_seed_tasks_run_in_the_order_of_their_wakes() -> io::Result<()> {
    assert_eq!(order(None)?, (0..20).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn the_same_seed_is_the_same_order_and_everybody_runs() -> io::Result<()> {
    for seed in [0, 1, 2, 7, u64::MAX] {
        let first = order(Some(seed))?;
        assert_eq!(first, order(Some(seed))?);
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }
    Ok(())
}

#[test]
fn another_seed_is_another_order() -> io::Result<()> {
    let orders: Vec<_> = (0..50)
        .map(|seed| order(Some(seed)))
        .collect::<Result<_, _>>()?;
    for (at, order) in orders.iter().enumerate() {
        assert!(
            !orders[..at].contains(order),
            "seed {at} repeats an earlier one"
        );
    }
    assert!(!orders.contains(&order(None)?));
    Ok(())
}

fn generic_local(spawner: &impl LocalSpawn, task: impl Future<Output = ()> + 'static) -> bool {
    spawner.status_local().is_ok()
        && spawner
            .spawn_local_obj(LocalFutureObj::new(Box::new(task)))
            .is_ok()
}

fn generic(spawner: &impl Spawn, task: impl Future<Output = ()> + Send + 'static) -> bool {
    spawner.status().is_ok() && spawner.spawn_obj(FutureObj::new(Box::new(task))).is_ok()
}

#[test]
fn code_that_is_generic_over_executors_spawns_here() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let (sender, receiver) = mpsc::channel();
    let send = |text: &'static str| {
        let sender = sender.clone();
        async move { sender.send(text).unwrap() }
    };
    assert!(generic_local(&runtime.local_spawner(), send("local")));
    assert!(generic(&runtime.local_spawner(), send("local, Send")));
    let (spawner, task) = (runtime.spawner(), send("from a thread"));
    let thread = std::thread::spawn(move || generic(&spawner, task));
    assert!(thread.join().unwrap());
    runtime.run_until_stalled();
    let mut texts: Vec<_> = receiver.try_iter().collect();
    texts.sort_unstable();
    assert_eq!(texts, ["from a thread", "local", "local, Send"]);
    Ok(())
}

#[test]
fn a_runtime_that_is_gone_says_shutdown() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let (local, remote) = (runtime.local_spawner(), runtime.spawner());
    drop(runtime);
    assert!(local.status_local().expect_err("gone").is_shutdown());
    assert!(Spawn::status(&local).expect_err("gone").is_shutdown());
    assert!(Spawn::status(&remote).expect_err("gone").is_shutdown());
    let never = || async { unreachable!("nobody runs it") };
    assert!(!generic_local(&local, never()));
    assert!(!generic(&remote, never()));
    let late = local.spawn_task(async {});
    assert!(late.is_finished());
    Ok(())
}

/// As in the crate `futures`: a method of this name is found on our spawner as on others.
trait SpawnExt: Spawn {
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> Result<(), SpawnError> {
        self.spawn_obj(FutureObj::new(Box::new(future)))
    }
}

impl<S: Spawn> SpawnExt for S {}

#[test]
fn the_method_of_spawn_ext_is_not_hidden() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let spawner = runtime.local_spawner();
    spawner.spawn(async {}).expect("the runtime is there");
    assert_eq!(runtime.tasks(), 1);
    drop(runtime);
    let late = spawner.spawn(async {});
    assert!(late.expect_err("it is gone").is_shutdown());
    Ok(())
}
