//! The table of subjects, and the command line by which a program starts one in its own process.

use std::time::Duration;

use crate::runtime::{BUFFER, Runtime};
use crate::work::{self, Accepting, Cascade, Facts, Switching, TimerOperation, Wakes, Woken};
use crate::{allocations, subjects};

/// A runtime, or a loop without one, that can be measured.
#[derive(Clone, Copy)]
pub struct Subject {
    /// Its name on command lines and in tables.
    pub name: &'static str,
    /// One line: what runs and with which settings.
    pub about: &'static str,
    /// Accepts so many connections and echoes until their peers close.
    pub serve: fn(usize),
    /// [`work::accept`]: connections that come and go, for ever.
    pub accept: Option<fn(&Accepting)>,
    /// [`work::cascade`], by whatever has timers.
    pub cascade: Option<fn(&Cascade) -> Facts>,
    /// What only something with tasks can do.
    pub tasks: Option<Tasks>,
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
}

/// The works that need an executor; each takes how often, and tells facts.
#[derive(Clone, Copy)]
pub struct Tasks {
    /// [`work::self_wake`].
    pub self_wake: fn(u64) -> Facts,
    /// [`work::spawn_join`].
    pub spawn_join: fn(u64) -> Facts,
    /// [`work::far_timer`].
    pub far_timer: fn(u64) -> Facts,
    /// [`work::sleep`].
    pub sleep: fn(u64) -> Facts,
    /// [`work::foreign_wake`].
    pub foreign_wake: fn(u64) -> Facts,
    /// [`work::foreign_round_trip`].
    pub foreign_round_trip: fn(u64) -> Facts,
    /// [`work::ping_pong`].
    pub ping_pong: fn(u64) -> Facts,
    /// [`work::ring`]: members, laps.
    pub ring: fn(usize, u64) -> Facts,
    /// [`work::churn`].
    pub churn: fn(usize) -> Facts,
    /// [`work::timers`]: how many are outstanding, what is done, how often.
    pub timers: fn(usize, TimerOperation, u64) -> Facts,
    /// [`work::switch`]: why, how many tasks, for how long.
    pub switch: fn(Switching, usize, Duration) -> Facts,
    /// [`work::storm`]: how many timers, a seed, for how long.
    pub storm: fn(usize, u64, Duration) -> Facts,
    /// [`work::overshoot`]: how long each sleep is, for how long.
    pub overshoot: fn(Duration, Duration) -> Vec<i64>,
    /// [`work::wakes`].
    pub wakes: fn(&Wakes) -> Woken,
}

impl Subject {
    /// The subject that a runtime makes.
    pub const fn of<R: Runtime>(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            serve: work::serve::<R>,
            accept: Some(work::accept::<R>),
            cascade: Some(work::cascade::<R>),
            tasks: Some(Tasks {
                self_wake: work::self_wake::<R>,
                spawn_join: work::spawn_join::<R>,
                far_timer: work::far_timer::<R>,
                sleep: work::sleep::<R>,
                foreign_wake: work::foreign_wake::<R>,
                foreign_round_trip: work::foreign_round_trip::<R>,
                ping_pong: work::ping_pong::<R>,
                ring: work::ring::<R>,
                churn: work::churn::<R>,
                timers: work::timers::<R>,
                switch: work::switch::<R>,
                storm: work::storm::<R>,
                overshoot: work::overshoot::<R>,
                wakes: work::wakes::<R>,
            }),
            own_buffer: BUFFER,
            spinning: None,
            spins: false,
            linear: false,
            shown: true,
            gated: false,
        }
    }

    /// The same, left out of the usual tables.
    pub const fn on_demand(self) -> Self {
        Self {
            shown: false,
            ..self
        }
    }

    /// The same, with waits that look at every connection.
    pub const fn linear(self) -> Self {
        Self {
            linear: true,
            ..self
        }
    }

    /// The same, held against the baseline by the gate.
    pub const fn gated(self) -> Self {
        Self {
            gated: true,
            ..self
        }
    }

    /// The same, which spins before it blocks.
    pub const fn spins(self) -> Self {
        Self {
            spins: true,
            ..self
        }
    }

    /// The same, with the subject that spins before it blocks.
    pub const fn spinning(self, name: &'static str) -> Self {
        Self {
            spinning: Some(name),
            ..self
        }
    }

    /// Looks a subject up by its name.
    pub fn named(name: &str) -> Option<Self> {
        subjects::all()
            .iter()
            .find(|subject| subject.name == name)
            .copied()
    }
}

/// Runs one work of one subject in this process: `WORK NAME COUNT`, where a server's count is its
/// connections. Facts go to standard output, a line each; a server first says where it listens, and
/// as `idle` it answers questions meanwhile.
///
/// # Errors
///
/// What is wrong with the words.
pub fn run(words: &[String]) -> Result<(), String> {
    let [work, name, count] = words else {
        return Err("a subject is started with WORK NAME COUNT".to_owned());
    };
    let subject = Subject::named(name).ok_or_else(|| format!("no subject is named {name}"))?;
    let count: u64 = count.parse().map_err(|_| format!("{count} is no number"))?;
    if work == "idle" {
        work::answer_questions();
    }
    if work == "serve" || work == "idle" {
        (subject.serve)(count as usize);
        print_facts(&[("allocations", allocations::allocations() as f64)]);
        return Ok(());
    }
    let tasks = subject
        .tasks
        .ok_or_else(|| format!("{name} has no tasks"))?;
    let run = match work.as_str() {
        "self-wake" => tasks.self_wake,
        "spawn-join" => tasks.spawn_join,
        "far-timer" => tasks.far_timer,
        "sleep" => tasks.sleep,
        "foreign-wake" => tasks.foreign_wake,
        other => return Err(format!("{other} is no work")),
    };
    let mut facts = run(count);
    facts.push(("allocations", allocations::allocations() as f64));
    print_facts(&facts);
    Ok(())
}

/// Accepts connections that come and go until it is killed: `NAME LISTENERS BACKLOG BATCH`.
///
/// # Errors
///
/// What is wrong with the words.
pub fn accept(words: &[String]) -> Result<(), String> {
    let (name, how) = words.split_first().ok_or("accept is started with NAME")?;
    let accept = Subject::named(name)
        .and_then(|subject| subject.accept)
        .ok_or_else(|| format!("no subject of that kind is named {name}"))?;
    accept(&Accepting::from_words(how)?);
    Ok(())
}

fn print_facts(facts: &[(&'static str, f64)]) {
    for (name, value) in facts {
        println!("{name} {value}");
    }
}
