//! The spawn traits of the ecosystem, for code that is generic over executors.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::rc::Rc;

use futures_task::{FutureObj, LocalFutureObj, LocalSpawn, Spawn, SpawnError};

use crate::run::core::Core;
use crate::run::current;
use crate::spawning::join::JoinHandle;
use crate::spawning::spawner::Spawner;

/// Spawns on one runtime of this thread, also where it is not running; made by
/// [`Runtime::local_spawner`](crate::Runtime::local_spawner).
///
/// ```
/// use futures_task::{LocalSpawn, LocalFutureObj};
///
/// fn generic(spawner: &impl LocalSpawn) {
///     spawner.spawn_local_obj(LocalFutureObj::new(Box::new(async {}))).unwrap();
/// }
///
/// let runtime = executor::Runtime::new()?;
/// generic(&runtime.local_spawner());
/// assert_eq!(runtime.tasks(), 1);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct LocalSpawner {
    core: Rc<Core>,
}

impl LocalSpawner {
    pub(crate) fn new(core: Rc<Core>) -> Self {
        LocalSpawner { core }
    }

    /// The spawner of the runtime of this thread.
    ///
    /// # Panics
    ///
    /// If no runtime runs on this thread.
    #[track_caller]
    #[must_use]
    pub fn current() -> Self {
        Self::new(current::expect_current("LocalSpawner::current"))
    }

    /// As [`current`](Self::current); `None` where no runtime runs.
    pub fn try_current() -> Option<Self> {
        current::current().map(Self::new)
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    /// As [`spawn`](crate::spawn), on this runtime. Once the runtime is dropped, the handle yields
    /// a [cancelled](crate::JoinError::is_cancelled) error.
    ///
    /// It is not called `spawn`, so that the method of that name in futures' `SpawnExt` is found.
    ///
    /// ```
    /// let runtime = executor::Runtime::new()?;
    /// let task = runtime.local_spawner().spawn_task(async { 7 });
    /// assert_eq!(runtime.block_on(task)?.unwrap(), 7);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn spawn_task<F: Future + 'static>(&self, future: F) -> JoinHandle<F::Output> {
        self.core.spawn(future, Location::caller())
    }
}

impl fmt::Debug for LocalSpawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalSpawner")
    }
}

impl LocalSpawn for LocalSpawner {
    fn spawn_local_obj(&self, future: LocalFutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.status_local()?;
        self.spawn_task(future).detach();
        Ok(())
    }

    fn status_local(&self) -> Result<(), SpawnError> {
        if self.core.is_closed() {
            Err(SpawnError::shutdown())
        } else {
            Ok(())
        }
    }
}

impl Spawn for LocalSpawner {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.spawn_local_obj(future.into())
    }

    fn status(&self) -> Result<(), SpawnError> {
        self.status_local()
    }
}

impl Spawn for Spawner {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.status()?;
        self.spawn(future).detach();
        Ok(())
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.is_closed() {
            Err(SpawnError::shutdown())
        } else {
            Ok(())
        }
    }
}
