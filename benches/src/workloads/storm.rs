//! A storm of timers, as a server with idle timeouts makes it: each connection has one that is
//! due in 10 to 11 seconds, activity puts it off, and it nearly always ends by being cancelled.
//!
//! So many timers are inserted, each is put off once, in random order, and all are cancelled, in
//! random order; then as many again, a million at most, expire, due in no order. Told are nanoseconds
//! for each insertion (an allocation, for a timer does not move, and the first poll), reset (and the
//! poll after it), cancellation (and the freeing) and expiry (firing, waking and the poll that finds
//! it, by whichever thread). What a runtime does about cancelled timers when it looks at them next is
//! part of the cancellation; what it puts off until the old deadline is not: at most one insertion for
//! each timer in ten seconds.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use fastrand::Rng;

use super::{TASKS, Workload, on_runtime, some};
use crate::method::laps::laps;
use crate::method::quiet::number_after;
use crate::method::{Facts, Flag, Outcome, Reason, Slice, Spec, Stopwatch, flag_if};
use crate::report::{COUNT, Chart, Shown, TIME, count, groups, times};
use crate::subjects::{Runtime, Visitor, in_a_task, step_back};
use crate::sys;

pub const WORKLOAD: Workload = Workload {
    who: TASKS,
    parameters: &[&[some("timers", "1000,10000,100000,1000000", "Outstanding; a million expire")]],
    costs: &[("ns_per_operation", 0.0)],
    least: 1.0,
    ..Workload::new(
        Shown { caption, charts, ..Shown::table("storm", "A storm of timers", COLUMNS) },
        "A storm of idle timeouts: insert, reset on activity, cancel, expire, with so many outstanding",
        measure,
    )
};

const COLUMNS: &[(&str, &str, f64)] = &[
    ("ns insert", "insert_ns", 1.0),
    ("ns reset", "reset_ns", 1.0),
    ("ns cancel", "cancel_ns", 1.0),
    ("ns expire", "expire_ns", 1.0),
];

/// Timers that are let expire in a lap, at most: their time must really pass.
const EXPIRING: usize = 1_000_000;
/// Polls of a task that wakes itself after which every runtime has looked at its timers.
const POLLS: u64 = 300;

fn measure(spec: &Spec) -> Result<Outcome, String> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match too_many(spec.count("timers"), &meminfo) {
        Some(flag) => Ok(Outcome { flags: vec![flag], ..Outcome::default() }),
        None => Ok(Outcome::of(&on_runtime(spec, Storm(spec))?)),
    }
}

struct Storm<'a>(&'a Spec);

impl Visitor for Storm<'_> {
    type Output = Facts;

    fn visit<R: Runtime>(self) -> Facts {
        let (duration, count) = (self.0.duration(), self.0.count("timers").max(1));
        let mut random = Rng::with_seed(self.0.seed);
        in_a_task::<R, _>(async move {
            laps(duration, async || lap::<R>(count, &mut random).await).await
        })
    }
}

/// Between 10 and 11 seconds: what each connection of libev's bench waits for at most.
pub fn idle_timeout(random: &mut Rng) -> Duration {
    Duration::from_micros(10_000_000 + random.usize(..1_000_000) as u64)
}

/// A flag if so many timers do not fit into the memory that `/proc/meminfo` says is available: the
/// kernel would end a process, and not necessarily this one.
fn too_many(timers: usize, meminfo: &str) -> Option<Flag> {
    /// More than any runtime takes for a timer, its own structures and the box it lies in.
    const EACH: f64 = 500.0;
    let available = 1024.0 * number_after(meminfo, "MemAvailable:")?;
    let needed = timers as f64 * EACH;
    flag_if(needed > available, Reason::ResourceWall, || {
        let [needed, available] = [needed, available].map(|bytes| bytes / 1e9);
        format!("{timers} timers may need {needed:.1} GB, {available:.1} GB are available")
    })
}

async fn lap<R: Runtime>(count: usize, random: &mut Rng) -> Facts {
    let mut sleeps = Vec::with_capacity(count);
    let begin = Stopwatch::begin();
    for _ in 0..count {
        let mut sleep = Box::pin(R::sleep(idle_timeout(random)));
        is_over(sleep.as_mut()).await;
        sleeps.push(sleep);
    }
    let inserting = begin.elapsed();

    let begin = Stopwatch::begin();
    for _ in 0..count {
        let sleep = &mut sleeps[random.usize(..count)];
        R::reset(sleep.as_mut(), idle_timeout(random));
        is_over(sleep.as_mut()).await;
    }
    let resetting = begin.elapsed();

    random.shuffle(&mut sleeps);
    let begin = Stopwatch::begin();
    drop(sleeps);
    step_back(POLLS).await;
    let cancelling = begin.elapsed();
    let begin = Stopwatch::begin();
    step_back(POLLS).await;
    let nothing = begin.elapsed();
    let cancelling = cancelling.saturating_sub(nothing);

    let few = count.min(EXPIRING);
    let inserting_few = inserting.mul_f64(few as f64 / count as f64);
    let (expiring, expired) = expire::<R>(few, inserting_few, nothing, random).await;
    let each = |time: Duration| time.as_nanos() as f64 / count as f64;
    let four = [each(inserting), each(resetting), each(cancelling), expiring];
    let mean = four.iter().map(|ns| ns.max(0.1).ln()).sum::<f64>() / 4.0;
    vec![
        ("ns_per_operation", mean.exp()),
        ("insert_ns", four[0]),
        ("reset_ns", four[1]),
        ("cancel_ns", four[2]),
        ("expire_ns", four[3]),
        ("expired", expired as f64),
    ]
}

/// Nanoseconds in which the runtime fires one of `count` timers that are all due, and its task
/// finds it; also how many were found. `inserting` is how long it takes to insert them, about, and
/// `nothing` is how long it takes to look at timers of which none is due.
async fn expire<R: Runtime>(
    count: usize,
    inserting: Duration,
    nothing: Duration,
    random: &mut Rng,
) -> (f64, usize) {
    let due = 2 * inserting + Duration::from_millis(10);
    let mut sleeps = Vec::with_capacity(count);
    let mut late = 0;
    for _ in 0..count {
        let mut sleep = Box::pin(R::sleep(due + due.mul_f64(random.f64() / 2.0)));
        // On a busy machine the first may be due before the last is there.
        if is_over(sleep.as_mut()).await {
            late += 1;
        } else {
            sleeps.push(sleep);
        }
    }
    // The thread oversleeps: all are due at the next turn, the coarse ones too.
    // Some runtimes have a thread that fires them meanwhile, and that is work as well.
    let used = || sys::process_cpu_time(std::process::id()).unwrap_or_default();
    let before = used();
    std::thread::sleep(due + due / 2 + Duration::from_millis(3));
    let meanwhile = used().saturating_sub(before);
    let begin = Stopwatch::begin();
    step_back(POLLS).await;
    let mut next = 0;
    poll_fn(|context| {
        while let Some(sleep) = sleeps.get_mut(next) {
            if sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            next += 1;
        }
        Poll::Ready(())
    })
    .await;
    let elapsed = (meanwhile + begin.elapsed()).saturating_sub(nothing);
    (elapsed.as_nanos() as f64 / next.max(1) as f64, late + next)
}

/// Polls a timer once; whether its time has come.
async fn is_over<S: Future>(mut sleep: Pin<&mut S>) -> bool {
    poll_fn(|context| Poll::Ready(sleep.as_mut().poll(context).is_ready())).await
}

fn charts(slices: &[&Slice]) -> Vec<Chart> {
    let x = COUNT.of("outstanding timers");
    let y = TIME.of("time for each");
    let operations = ["insert", "reset", "cancel", "expire"];
    let chart = |name: &str| {
        Chart::new(name, x, y, groups::curves(slices, "timers", &format!("{name}_ns")))
    };
    operations.map(chart).into()
}

/// How much dearer a reset on activity is with the most timers than with the fewest; of points that are
/// to be believed.
fn caption(slices: &[&Slice]) -> String {
    let growth = |(subject, group): (&str, Vec<&Slice>)| {
        let mut points = groups::curve(&group, "timers", "reset_ns");
        points.retain(|point| point.valid && point.y > 0.0);
        let [few, .., many] = points[..] else { return None };
        let (times, many, few) = (times(many.y / few.y), count(many.x), count(few.x));
        Some(format!("{subject}: a reset is {times} times as dear with {many} as with {few}. "))
    };
    let growth: String = groups::by_subject(slices).into_iter().filter_map(growth).collect();
    format!(
        "A flat curve is a cost that does not grow with their number; a heap or a tree adds a step for \
         each doubling, and the caches add theirs; a line that rises as fast as the number would be a \
         list that is searched. {growth}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_timers_than_memory_are_a_wall() {
        let meminfo = "MemTotal: 9 kB\nMemAvailable:    1000000 kB\n";
        assert!(too_many(2_000_000, meminfo).is_none());
        let wall = too_many(10_000_000, meminfo).unwrap();
        assert_eq!(wall.reason, Reason::ResourceWall);
        assert!(too_many(10_000_000, "").is_none(), "nobody knows");
    }
}
