pub(crate) mod join;
pub(crate) mod join_error;
pub(crate) mod spawn_traits;
pub(crate) mod spawner;
mod spawning;
pub(crate) mod task;
pub(crate) mod task_set;
