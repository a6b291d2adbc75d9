//! What is told of a loop or a runtime, and how it serves.

/// The loop that every ratio is taken against.
pub const BARE: &str = "bare";
/// No server: a connection that is connected to itself, so that everything is answered at once.
pub const NULL: &str = "null";

#[derive(Clone, Copy)]
pub struct Subject {
    /// Its name on command lines and in tables.
    pub name: &'static str,
    /// One line: what runs and with which settings.
    pub about: &'static str,
    /// Says its port, accepts and echoes until the peers close.
    pub serve: fn(&Serving),
    /// Whether it has tasks and timers: it is a runtime.
    pub tasks: bool,
    /// Why it cannot be run here, if it cannot; with what to do about it.
    pub missing: fn() -> Option<String>,
    /// Bytes of buffer that the echo itself holds for each connection.
    pub own_buffer: usize,
    pub spins: bool,
    /// Whether it waits by a ring of io_uring, in which valgrind hangs: no instructions are counted.
    pub ring: bool,
    pub shown: bool,
    /// Whether the gate holds its counts against the baseline.
    pub gated: bool,
    /// Whether it is this program, whose allocator counts and answers questions.
    pub inside: bool,
}

impl Subject {
    /// A loop without tasks, in the usual tables.
    pub const fn new(name: &'static str, about: &'static str, serve: fn(&Serving)) -> Self {
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

    /// The same, left out of the usual tables.
    pub const fn on_demand(self) -> Self {
        Self { shown: false, ..self }
    }

    pub fn here(&self) -> bool {
        (self.missing)().is_none()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Serving {
    /// It ends when so many have been served; 0 for those that come and go, for ever.
    pub connections: usize,
    /// Sockets that listen on the same port; more than one need `SO_REUSEPORT`, and the kernel
    /// deals the connections out to them.
    pub listeners: usize,
    /// Connections that the kernel keeps for each until they are accepted.
    pub backlog: i32,
    /// Of those that come and go: how many are accepted in a row before others have their turn; 0
    /// for as many as the loop itself likes.
    pub batch: usize,
}

impl Serving {
    pub fn of(connections: usize) -> Self {
        Self { connections, listeners: 1, backlog: 4096, batch: 0 }
    }

    /// Whether it never ends, and its peers may go in any way.
    #[inline]
    pub fn for_ever(&self) -> bool {
        self.connections == 0
    }

    /// From the words of [`Serving::words`]; the first is enough.
    pub fn from_words(words: &[String]) -> Result<Self, String> {
        let number = |place: usize, usual: i32| {
            let word = words.get(place).cloned().unwrap_or(usual.to_string());
            word.parse::<i32>()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or(format!("{word} is no number"))
        };
        let usual = Self::of(0);
        Ok(Self {
            connections: number(0, 0)? as usize,
            listeners: number(1, 1)?.max(1) as usize,
            backlog: number(2, usual.backlog)?,
            batch: number(3, 0)? as usize,
        })
    }

    /// For the command line of the process that is to serve so.
    pub fn words(&self) -> [String; 4] {
        let Self { connections, listeners, backlog, batch } = *self;
        [connections.to_string(), listeners.to_string(), backlog.to_string(), batch.to_string()]
    }
}
