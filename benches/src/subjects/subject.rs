//! What is told of a loop or a runtime, and how it accepts connections that come and go.

/// The loop that every ratio is taken against.
pub const BARE: &str = "bare";
/// No server: a connection that is connected to itself, so that everything is answered at once.
pub const NULL: &str = "null";

/// A loop or a runtime.
#[derive(Clone, Copy)]
pub struct Subject {
    /// Its name on command lines and in tables.
    pub name: &'static str,
    /// One line: what runs and with which settings.
    pub about: &'static str,
    /// Accepts so many connections and echoes until their peers close.
    pub serve: fn(usize),
    /// Connections that come and go, for ever; as `serve::accept` does it.
    pub accept: Option<fn(&Accepting)>,
    /// Whether it has tasks and timers: it is a runtime.
    pub tasks: bool,
    /// Why it cannot be run here, if it cannot; with what to do about it.
    pub missing: fn() -> Option<String>,
    /// Bytes of buffer that the echo itself holds for each connection.
    pub own_buffer: usize,
    /// The subject that does the same while it spins before it blocks.
    pub spinning: Option<&'static str>,
    /// Whether it is such a subject itself.
    pub spins: bool,
    /// Whether each wait looks at every connection, so that thousands take long to set up.
    pub linear: bool,
    /// Whether the usual tables show it.
    pub shown: bool,
    /// Whether the gate holds its counts against the baseline.
    pub gated: bool,
    /// Whether it is this program, whose allocator counts and answers questions.
    pub inside: bool,
}

impl Subject {
    /// A loop without tasks, in the usual tables.
    pub const fn new(name: &'static str, about: &'static str, serve: fn(usize)) -> Self {
        Self {
            name,
            about,
            serve,
            accept: None,
            tasks: false,
            missing: || None,
            own_buffer: 0,
            spinning: None,
            spins: false,
            linear: false,
            shown: true,
            gated: false,
            inside: true,
        }
    }

    /// The same, left out of the usual tables.
    pub const fn on_demand(self) -> Self {
        Self {
            shown: false,
            ..self
        }
    }

    /// Whether it can be run here.
    pub fn here(&self) -> bool {
        (self.missing)().is_none()
    }
}

/// How a server accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Accepting {
    /// Sockets that listen on the same port; more than one need `SO_REUSEPORT`, and the kernel
    /// deals the connections out to them.
    pub listeners: usize,
    /// Connections that the kernel keeps for each until they are accepted.
    pub backlog: i32,
    /// Connections that are accepted in a row before others have their turn; 0 for as many as the
    /// loop itself likes.
    pub batch: usize,
}

impl Accepting {
    /// From the words of [`Accepting::words`].
    ///
    /// # Errors
    ///
    /// In words: what is no number.
    pub fn from_words(words: &[String]) -> Result<Self, String> {
        let number = |place: usize| {
            let word = words.get(place).ok_or("LISTENERS BACKLOG BATCH")?;
            word.parse::<u32>()
                .map_err(|_| format!("{word} is no number"))
        };
        Ok(Self {
            listeners: number(0)?.max(1) as usize,
            backlog: i32::try_from(number(1)?).unwrap_or(i32::MAX),
            batch: number(2)? as usize,
        })
    }

    /// For the command line of the process that is to accept so.
    pub fn words(&self) -> [String; 3] {
        let backlog = self.backlog.to_string();
        [self.listeners.to_string(), backlog, self.batch.to_string()]
    }
}
