//! What is told of a loop or a runtime, and how it serves.

/// The loop that every ratio is taken against.
pub const BARE: &str = "bare";
/// No server: a connection that is connected to itself, so that everything is answered at once.
pub const NULL: &str = "null";

#[derive(Clone, Copy)]
pub struct Subject {
    pub name: &'static str,
    pub about: &'static str,
    /// Says its port, accepts so many connections and echoes until their peers close; with 0 for those
    /// that come and go, for ever.
    pub serve: fn(usize),
    pub tasks: bool,
    /// Why it cannot be run here, if it cannot; with what to do about it.
    pub missing: fn() -> Option<String>,
    /// Bytes of buffer that the echo itself holds for each connection.
    pub own_buffer: usize,
    pub spins: bool,
    /// Whether it waits by a ring of io_uring, in which valgrind hangs: no instructions are counted.
    pub ring: bool,
    pub shown: bool,
    pub gated: bool,
    /// Whether it is this program, whose allocator counts.
    pub inside: bool,
}

impl Subject {
    /// A loop without tasks, in the usual tables.
    pub const fn new(name: &'static str, about: &'static str, serve: fn(usize)) -> Self {
        Self {
            name,
            about,
            serve,
            tasks: false,
            missing: || None,
            own_buffer: 0,
            spins: false,
            ring: false,
            shown: true,
            gated: false,
            inside: true,
        }
    }

    pub const fn on_demand(self) -> Self {
        Self { shown: false, ..self }
    }

    pub fn here(&self) -> bool {
        (self.missing)().is_none()
    }
}
