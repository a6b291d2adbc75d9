//! The check of the clock: what reading it costs, and whether it ever goes back.

use std::time::{Duration, Instant};

use benches::method::{Flag, Reason, flag_if};
use benches::sys;

const READS: u32 = 200_000;
/// A stepping clock goes back this far, each thousandth time.
const STEP: Duration = Duration::from_millis(1);

/// The flags, and the figures in words; `stepping` gives it a clock that goes back.
pub(super) fn check(stepping: bool) -> (Vec<Flag>, String) {
    let mut reads = 0;
    let mut read = || {
        reads += 1;
        let now = Instant::now();
        match now.checked_sub(STEP) {
            Some(earlier) if stepping && reads % 1000 == 0 => earlier,
            _ => now,
        }
    };
    let begin = Instant::now();
    let (mut last, mut back) = (read(), 0);
    // The smallest difference that it shows.
    let mut step = Duration::MAX;
    for _ in 0..READS {
        let now = read();
        back += u32::from(now < last);
        let passed = now.saturating_duration_since(last);
        step = if passed.is_zero() { step } else { step.min(passed) };
        last = now;
    }
    let each = begin.elapsed().as_nanos() as f64 / f64::from(READS);
    back += across_cpus();
    let bad = back > 0 || each > 500.0 || step > Duration::from_micros(10);
    let flag = flag_if(bad, Reason::Clock, || {
        format!("went back {back} times, a read costs {each:.0} ns, a step is {step:?}")
    });
    let words = format!("a read costs {each:.0} ns, went back {back} times");
    (flag.into_iter().collect(), words)
}

/// How often what is read later on another CPU is earlier.
fn across_cpus() -> u32 {
    let moving = || {
        let mut back = 0;
        let mut last = Instant::now();
        for step in 0..200 {
            if sys::pin_to_cpu(step % sys::cpus_online()).is_err() {
                break;
            }
            let now = Instant::now();
            back += u32::from(now < last);
            last = now;
        }
        back
    };
    // In a thread of its own: it leaves this one where it was.
    std::thread::scope(|scope| scope.spawn(moving).join().unwrap_or(0))
}
