//! Presets: several workloads in one run, with a report. Each is a list of command lines.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::Ending;
use benches::method::{Placement, Session};
use benches::report::Files;
use benches::subjects;
use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct Options {
    /// How much
    preset: Preset,
    /// Where the results go: results.json, results.csv and report.html
    #[arg(long, visible_alias = "out", default_value = "selbench-results")]
    folder: PathBuf,
    /// Seed of orders, arrivals and layouts
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// Less than 20 seconds: does everything work?
    Smoke,
    /// Less than 2 minutes: the shapes, with a report
    Quick,
    /// About half an hour: figures to quote
    Full,
}

impl Preset {
    /// Seconds after which no slice begins, and the command lines, each with its share of the time: what
    /// one leaves is for those after it, and on a busy machine, which does less, there is something of
    /// each. What is most asked for comes first.
    fn of(self) -> (Option<u64>, &'static str) {
        match self {
            Self::Smoke => (Some(17), SMOKE),
            Self::Quick => (Some(112), QUICK),
            Self::Full => (None, FULL),
        }
    }
}

/// A share is half a second of an idle machine with two CPUs, or of the smallest lines less.
const SMOKE: &str = "\
7 ring --registered 1024,1,64 --ms 20 --blocks 4 --subjects bare-epoll,ours-epoll,ours-poll,ours-select
3 map --most 256 --ms 50 --blocks 4 --no-floor --subjects ours-epoll,ours-poll,ours-select
1 idle --connections 100 --ms 20 --blocks 1 --no-floor --subjects bare,ours
3 register --registered 1000 --ms 10 --blocks 4 --no-floor --subjects bare-epoll,ours-epoll,ours-poll
1 switch --tasks 10 --ms 10 --blocks 1 --no-floor --subjects ours
6 echo --ms 80 --blocks 4 --subjects bare,ours,tokio
8 load --connections 16 --percent 50 --ms 150 --blocks 4 --no-floor --subjects bare,ours
1 storm --timers 1000 --ms 10 --blocks 1 --no-floor --subjects ours
1 overshoot --sleep-us 100 --ms 20 --blocks 1 --no-floor --subjects ours
1 wake --senders 1 --burst 1,10 --ms 20 --blocks 1 --no-floor --subjects ours
1 churn --close rst --ms 20 --blocks 1 --no-floor --subjects bare,ours
1 scaling --connections 100 --ms 20 --blocks 1 --no-floor --subjects bare,ours";

/// A share is a second of such a machine: 95 together. Behind are those that take longest where others
/// have the CPU.
const QUICK: &str = "\
3 idle --connections 500 --ms 20 --blocks 4 --no-floor --subjects ours,tokio,smol
12 ring --registered 1000,1,4096,64 --ms 50 --blocks 4 --subjects bare-epoll,ours-epoll,ours-epoll-edge,ours-poll,ours-select,mio
4 ring --registered 1000 --active 10,500 --writes 2000 --ms 50 --blocks 4 --no-floor --subjects bare-epoll,ours-epoll,ours-poll,ours-select
4 map --most 1024 --ms 150 --blocks 4 --no-floor --subjects ours-epoll,ours-poll,ours-select
3 register --registered 1000 --ms 20 --blocks 4 --no-floor --subjects bare-epoll,ours-epoll,ours-poll,ours-select,mio
2 switch --tasks 100 --ms 20 --blocks 4 --no-floor --subjects ours,tokio,smol
8 scaling --connections 1000,100 --ms 60 --blocks 4 --no-floor --subjects bare,ours,ours-poll
6 echo --ms 100 --blocks 4 --subjects bare,ours,ours-poll,mio,tokio,smol
19 load --connections 16 --percent 50,20,80 --ms 300 --blocks 4 --no-floor --subjects bare,ours,tokio
5 storm --timers 1000,30000 --ms 20 --blocks 4 --no-floor --subjects ours,tokio,smol
4 wake --senders 1 --burst 1,100 --placement same-cpu,split --ms 40 --blocks 4 --no-floor --subjects ours,tokio,smol
2 overshoot --sleep-us 100,1000 --ms 40 --blocks 4 --no-floor --subjects ours,tokio,smol
4 churn --ms 60 --blocks 4 --no-floor --subjects bare,ours,tokio,smol
6 overload --ms 100 --blocks 2 --no-floor --subjects bare,ours,tokio
8 capacity --ms 60 --blocks 2 --no-floor --subjects bare,ours,tokio
5 fair --ms 300 --blocks 2 --no-floor --subjects bare,ours,tokio";

const FULL: &str = "\
1 ring --registered 1,2,4,8,64,256,1024,4096,8192 --ms 200 --blocks 10 --subjects bare-epoll,bare-poll,bare-select,ours-epoll,ours-epoll-edge,ours-epoll-oneshot,ours-poll,ours-select,mio,polling
1 ring --registered 64,512,4096 --active 32,256,2048 --writes 8192 --ms 200 --blocks 10 --no-floor --subjects bare-epoll,ours-epoll,ours-poll,ours-select
1 map --most 8192 --ms 1000 --blocks 5 --no-floor
1 register --ms 100 --blocks 5 --no-floor
1 echo --ms 500 --blocks 10
1 load --connections 16 --percent 10,50,70,90,110 --ms 1500 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol,monoio,compio
1 fair --ms 1000 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol
1 overload --ms 500 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol
1 capacity --ms 300 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol
1 switch --ms 200 --blocks 5 --no-floor
1 storm --ms 200 --blocks 5 --no-floor
1 overshoot --ms 300 --blocks 5 --no-floor
1 wake --placement same-cpu,split --ms 300 --blocks 5 --no-floor
1 churn --ms 300 --blocks 5 --no-floor
1 scaling --connections 1,10,100,1000,9000 --ms 300 --blocks 5 --no-floor --subjects bare,ours,ours-level,ours-poll,ours-select
1 idle --connections 1000,5000,9000 --ms 300 --blocks 3 --no-floor
1 storm --timers 10000000 --ms 1 --blocks 1 --no-floor --subjects ours,tokio";

/// Measures a preset and writes everything into a folder.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let folder = &options.folder;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut session = Session::begin(3.0)?;
    let (budget, lines) = options.preset.of();
    let budget = budget.map(Duration::from_secs);
    let lines: Vec<(u32, &str)> = lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(share, line)| Some((share.parse().ok()?, line)))
        .collect();
    let all: u32 = lines.iter().map(|line| line.0).sum();
    let (begin, mut shares) = (Instant::now(), 0);
    for (share, line) in lines {
        shares += share;
        session.deadline = budget.map(|budget| begin + budget * shares / all);
        session.measure(&crate::asked(&format!("{} --seed {}", here(line), options.seed))?);
    }
    let file = |name: &str| Some(folder.join(name));
    let (json, csv, html) = (file("results.json"), file("results.csv"), file("report.html"));
    Ok(crate::finish(session, &Files { json, csv, html }).1)
}

/// A line without the subjects that this build or this machine does not have, and on a place that it has.
fn here(line: &str) -> String {
    let known = |name: &&str| {
        let selector = subjects::selector(name).is_some();
        selector || subjects::named(name).is_some_and(|subject| subject.here())
    };
    let mut here = line.to_owned();
    if let Some((words, names)) = line.split_once(" --subjects ") {
        let names: Vec<&str> = names.split(',').filter(known).collect();
        here = format!("{words} --subjects {}", names.join(","));
    }
    let apart = ["load", "fair", "overload", "capacity", "wake"];
    if apart.iter().any(|name| here.starts_with(name)) && !Placement::SplitSpin.possible() {
        here = here.replace(" --placement same-cpu,split", "") + " --placement same-cpu";
    }
    here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_machine_has_time_for_all_that_a_preset_plans() {
        for (budget, lines) in [Preset::Smoke.of(), Preset::Quick.of()] {
            let lines: Vec<_> = lines.lines().map(|line| line.split_once(' ').unwrap()).collect();
            let share = |share: &str| share.parse::<f64>().unwrap();
            let all: f64 = lines.iter().map(|line| share(line.0)).sum();
            for (own, line) in lines {
                let plan = crate::asked(&here(line)).unwrap();
                let point = &plan.points[0];
                let points = plan.points.len() * plan.apart("percent").len().max(1);
                let slices = points * (plan.subjects.len() + usize::from(plan.floor)) * plan.blocks;
                // How often its length a slice takes, with the warm-up; and what it takes to start.
                let runs = match point.workload.as_str() {
                    "capacity" => 24.0,
                    "overload" => 7.0,
                    "fair" => 2.5,
                    _ => 1.3,
                };
                let ms = slices as f64 * (runs * point.milliseconds as f64 + 20.0);
                let given = 1e3 * budget.unwrap() as f64 * share(own) / all;
                assert!(ms < given, "{line}: {slices} slices, {ms:.0} of {given:.0} ms");
            }
        }
    }
}
