//! Timers against a model: random scripts of what is done to them, on a virtual clock that stands
//! and jumps, beside a list that is searched from end to end.
//!
//! `TIMERS_SEQUENCES=10000 cargo test -p selectors-reactor --test timer_model` plays a hundred times as much
//! as every run does; `TIMERS_SEED` begins with the sequence of that seed, which a failure prints.

use std::env;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use reactor::Reactor;
use reactor::time::{Sleep, sleep, sleep_until};
use selectors_core::Script;

/// Sequences in every run, each on a reactor of its own.
const SEQUENCES: u64 = 100;
/// What is done in each.
const STEPS: usize = 500;
/// What the clock counts in: few enough of them that deadlines are often equal.
const UNIT: Duration = Duration::from_micros(250);
/// Enough to have the tables give memory back when it is gone.
const CROWD: usize = 5000;

/// The names of the wakers that were called, in order.
type Log = Arc<Mutex<Vec<usize>>>;

struct Named(Log, usize);

impl Wake for Named {
    fn wake(self: Arc<Self>) {
        self.0
            .lock()
            .expect("nobody panics with the log")
            .push(self.1);
    }
}

/// What a timer should be doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It was not polled yet.
    New,
    Waiting,
    Over,
}

struct Timer {
    sleep: Sleep,
    state: State,
    /// Since the clock began.
    deadline: Duration,
    /// When the deadline was set, among all that are waiting.
    arrival: u64,
    /// The waker of the last poll, which is the one to be called, and its name.
    waker: (usize, Waker),
}

struct World {
    rng: Rng,
    script: Script,
    reactor: Reactor,
    log: Log,
    timers: Vec<Timer>,
    /// Durations are up to so many units.
    scale: u64,
    /// At most so many timers, but for a crowd.
    limit: usize,
    arrivals: u64,
    wakers: usize,
}

impl World {
    fn new(seed: u64) -> io::Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let script = Script::new();
        Ok(World {
            reactor: Reactor::builder().script(script.clone()).build()?,
            script,
            log: Log::default(),
            timers: Vec::new(),
            scale: 1 << rng.u32(0..12),
            limit: 1 << rng.u32(0..9),
            rng,
            arrivals: 0,
            wakers: 0,
        })
    }

    fn step(&mut self) -> io::Result<()> {
        match self.rng.u32(0..100) {
            0..25 => self.create(),
            25..45 => self.guard(),
            45..55 => self.poll(),
            55..70 => self.reset(),
            70..85 => self.cancel(),
            85..90 => self.jump(),
            90..96 => self.turn(Some(Duration::ZERO))?,
            96..98 => {
                // Not to the end of time.
                let timeout = self.duration().min(Duration::from_secs(3600));
                self.turn(Some(timeout))?;
            }
            _ => self.turn_until_one_fires()?,
        }
        self.compare();
        Ok(())
    }

    fn duration(&mut self) -> Duration {
        match self.rng.u32(0..100) {
            0 => Duration::MAX,
            1 => Duration::from_secs(3600),
            2..8 => Duration::ZERO,
            // Anything up to a year, so that some are far from all others.
            8..10 => Duration::from_nanos(self.rng.u64(..1 << 55) >> self.rng.u32(..55)),
            _ => UNIT * self.rng.u64(0..=self.scale) as u32,
        }
    }

    fn new_waker(&mut self) -> (usize, Waker) {
        self.wakers += 1;
        let named = Named(Arc::clone(&self.log), self.wakers);
        (self.wakers, Waker::from(Arc::new(named)))
    }

    fn arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    /// A timer that is polled at once, as most are, or not yet.
    fn create(&mut self) {
        if self.timers.len() >= self.limit {
            return;
        }
        let (now, ahead) = (self.script.elapsed(), self.duration());
        let start = self.script.now() - now;
        let at = self.rng.u64(0..=self.scale) as u32 * UNIT;
        // By a point in time, which may be one of the past, or by a duration.
        let (sleep, deadline) = match self.rng.u32(0..4) {
            0 => (sleep_until(start + at), at),
            _ => (sleep(ahead), now.saturating_add(ahead)),
        };
        let waker = self.new_waker();
        self.timers.push(Timer {
            sleep,
            state: State::New,
            deadline,
            arrival: 0,
            waker,
        });
        if self.rng.u32(0..8) != 0 {
            self.poll_one(self.timers.len() - 1);
        }
    }

    /// What a read with a timeout does: created, polled, cancelled.
    fn guard(&mut self) {
        let before = self.timers.len();
        self.create();
        if self.timers.len() > before {
            self.poll_one(before);
            self.timers.pop();
        }
    }

    fn any(&mut self) -> Option<usize> {
        let count = self.timers.len();
        (count != 0).then(|| self.rng.usize(0..count))
    }

    fn poll(&mut self) {
        if let Some(at) = self.any() {
            if self.rng.bool() {
                self.timers[at].waker = self.new_waker();
            }
            self.poll_one(at);
        }
    }

    fn poll_one(&mut self, at: usize) {
        let arrival = self.arrival();
        let timer = &mut self.timers[at];
        let mut cx = Context::from_waker(&timer.waker.1);
        let polled = Pin::new(&mut timer.sleep).poll(&mut cx);
        let expected = match timer.state {
            State::Over => Poll::Ready(()),
            State::New | State::Waiting => Poll::Pending,
        };
        assert_eq!(
            polled, expected,
            "a poll of a timer that is {:?}",
            timer.state
        );
        if timer.state == State::New {
            timer.state = State::Waiting;
            timer.arrival = arrival;
        }
        // The budget is another test's matter.
        self.reactor.refill_budget();
    }

    fn reset(&mut self) {
        let (ahead, arrival) = (self.duration(), self.arrival());
        if let Some(at) = self.any() {
            let timer = &mut self.timers[at];
            timer.sleep.reset(ahead);
            timer.deadline = self.script.elapsed().saturating_add(ahead);
            timer.arrival = arrival;
            if timer.state == State::Over {
                timer.state = State::New;
            }
        }
    }

    fn cancel(&mut self) {
        match self.any() {
            Some(at) if self.rng.u32(0..300) != 0 => drop(self.timers.swap_remove(at)),
            // Now and then a crowd comes, and some of it stays.
            _ => self.crowd(),
        }
    }

    fn crowd(&mut self) {
        let limit = std::mem::replace(&mut self.limit, usize::MAX);
        while self.timers.len() < CROWD {
            self.create();
        }
        self.limit = limit;
        self.rng.shuffle(&mut self.timers);
        let stay = self.rng.usize(0..=limit);
        self.timers.truncate(stay);
    }

    fn jump(&mut self) {
        let by = match self.rng.u32(0..20) {
            0 => Duration::from_secs(86_400),
            1 => Duration::from_secs(365 * 86_400),
            _ => UNIT * self.rng.u64(0..=self.scale) as u32,
        };
        self.script.advance(by);
    }

    fn earliest(&self) -> Option<Duration> {
        let waiting = self.timers.iter();
        let waiting = waiting.filter(|timer| timer.state == State::Waiting);
        waiting.map(|timer| timer.deadline).min()
    }

    fn turn_until_one_fires(&mut self) -> io::Result<()> {
        if self
            .earliest()
            .is_some_and(|deadline| deadline < Duration::MAX)
        {
            let before = self.fired();
            // A timer that was moved back may cost a turn, for its old deadline.
            for _ in 0..=2 * self.timers.len() {
                if self.fired() == before {
                    self.turn(None)?;
                }
            }
            assert!(self.fired() > before, "turns and turns, and nothing fires");
        }
        Ok(())
    }

    fn fired(&self) -> usize {
        let over = |timer: &&Timer| timer.state == State::Over;
        self.timers.iter().filter(over).count()
    }

    /// One turn: whoever is due is woken by it, in the order of the deadlines, and nobody else.
    fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let (before, earliest) = (self.script.elapsed(), self.earliest());
        let turn = self.reactor.turn(timeout)?;
        let now = self.script.elapsed();

        let mut due: Vec<_> = self
            .timers
            .iter_mut()
            .filter(|timer| timer.state == State::Waiting && timer.deadline <= now)
            .collect();
        due.sort_by_key(|timer| (timer.deadline, timer.arrival));
        let expected: Vec<_> = due.iter().map(|timer| timer.waker.0).collect();
        due.into_iter().for_each(|timer| timer.state = State::Over);
        let woken = std::mem::take(&mut *self.log.lock().expect("nobody panics with the log"));
        assert_eq!(
            woken, expected,
            "woken, and who should have been, at {now:?}"
        );
        assert_eq!(turn.timers, expected.len());

        let until = match (
            timeout.map(|timeout| before.saturating_add(timeout)),
            earliest,
        ) {
            (Some(asked), Some(due)) => asked.min(due),
            (asked, due) => asked.or(due).unwrap_or(Duration::MAX),
        };
        assert!(
            now <= until.max(before),
            "overslept {until:?}: it is {now:?}"
        );
        // The script keeps a record of everything.
        drop(self.script.take_calls());
        Ok(())
    }

    fn compare(&mut self) {
        let waiting = |timer: &&Timer| timer.state == State::Waiting;
        let count = self.timers.iter().filter(waiting).count();
        assert_eq!(self.reactor.metrics().timers, count, "timers that wait");
        let earliest = self.earliest();
        let next = self.reactor.next_timeout();
        assert_eq!(next.is_some(), earliest.is_some());
        if let (Some(next), Some(earliest)) = (next, earliest) {
            let left = earliest.saturating_sub(self.script.elapsed());
            assert!(next <= left, "it would sleep {next:?} and has {left:?}");
        }
        let early = self.log.lock().expect("nobody panics with the log").clone();
        assert!(early.is_empty(), "woken outside a turn: {early:?}");
    }
}

/// Says how to play the sequence again that failed.
struct Told {
    seed: u64,
    step: usize,
}

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "it was step {} of the sequence of seed {1}: TIMERS_SEED={1} TIMERS_SEQUENCES=1 \
                 plays it again",
                self.step, self.seed
            );
        }
    }
}

fn asked<T: FromStr>(variable: &str) -> Option<T> {
    let value = env::var(variable).ok()?;
    let number = value.parse().ok();
    Some(number.unwrap_or_else(|| panic!("{variable} is {value:?}, not a number")))
}

#[test]
fn random_timers_do_what_a_list_of_them_does() -> io::Result<()> {
    let first: u64 = asked("TIMERS_SEED").unwrap_or_else(|| fastrand::u64(..));
    for sequence in 0..asked("TIMERS_SEQUENCES").unwrap_or(SEQUENCES) {
        let seed = first.wrapping_add(sequence);
        let mut told = Told { seed, step: 0 };
        let mut world = World::new(seed)?;
        let entered = world.reactor.enter();
        for step in 0..STEPS {
            told.step = step;
            world.step()?;
        }
        world.turn(Some(Duration::ZERO))?;
        let log = Arc::clone(&world.log);
        drop((entered, world));
        assert_eq!(Arc::strong_count(&log), 1, "a waker is kept");
    }
    Ok(())
}
