//! Presets: several workloads in one run, with a report. Each is a list of command lines.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use benches::method::placement::Placement;
use benches::method::session::Session;
use benches::report::files::Files;
use benches::subjects;
use clap::{Args, ValueEnum};

use crate::Ending;

#[derive(Args)]
pub(crate) struct Options {
    /// How much
    preset: Preset,
    /// Where the results go: results.json, results.csv and report.html
    #[arg(long, visible_alias = "out", default_value = "selbench-results")]
    folder: PathBuf,
    /// Seed of orders, arrivals and layouts
    #[arg(long, default_value_t = 1)]
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
    /// Seconds after which no slice begins.
    fn budget(self) -> Option<u64> {
        match self {
            Self::Smoke => Some(17),
            Self::Quick => Some(112),
            Self::Full => None,
        }
    }

    /// The command lines; what is most asked for comes first, for a session that is out of time leaves
    /// the rest out.
    fn lines(self) -> &'static str {
        match self {
            Self::Smoke => SMOKE,
            Self::Quick => QUICK,
            Self::Full => FULL,
        }
    }
}

const SMOKE: &str = "\
ring --registered 1,64,1024 --ms 20 --blocks 4 --subjects bare-epoll,ours-epoll,ours-poll,ours-select
map --most 256 --ms 50 --blocks 4 --no-floor --subjects ours-epoll,ours-poll,ours-select
register --registered 1000 --ms 10 --blocks 4 --no-floor --subjects bare-epoll,ours-epoll,ours-poll
echo --ms 80 --blocks 4 --subjects bare,ours,tokio
load --connections 16 --percent 50 --ms 250 --blocks 4 --no-floor --subjects bare,ours
switch --tasks 10 --ms 10 --blocks 1 --no-floor --subjects ours
storm --timers 1000 --ms 10 --blocks 1 --no-floor --subjects ours
overshoot --sleep-us 100 --ms 20 --blocks 1 --no-floor --subjects ours
wake --senders 1 --burst 1,10 --ms 20 --blocks 1 --no-floor --subjects ours
cascade --fds 100 --ms 20 --blocks 1 --no-floor --subjects bare,ours
churn --close rst --ms 20 --blocks 1 --no-floor --subjects bare,ours
scaling --connections 100 --ms 20 --blocks 1 --no-floor --subjects bare,ours
idle --connections 100 --ms 20 --blocks 1 --no-floor --subjects bare,ours";

const QUICK: &str = "\
ring --registered 1,4,64,1000,4096 --ms 80 --blocks 4 --subjects bare-epoll,ours-epoll,ours-epoll-edge,ours-poll,ours-select,mio,polling
ring --registered 1000 --active 10,500 --writes 2000 --ms 80 --blocks 4 --no-floor --subjects bare-epoll,ours-epoll,ours-poll,ours-select
map --most 4096 --ms 150 --blocks 4 --no-floor --subjects ours-epoll,ours-poll,ours-select
register --registered 1000 --ms 20 --blocks 4 --no-floor --subjects bare-epoll,ours-epoll,ours-poll,ours-select,mio
switch --tasks 100 --ms 20 --blocks 4 --no-floor --subjects ours,tokio,smol
storm --timers 1000,100000 --ms 20 --blocks 4 --no-floor --subjects ours,tokio,smol
scaling --connections 1,100,1000 --ms 60 --blocks 4 --no-floor --subjects bare,ours,ours-poll
echo --ms 100 --blocks 4 --subjects bare,ours,ours-poll,mio,tokio,smol
wake --senders 0,1 --burst 1,100 --placement same-cpu,split --ms 40 --blocks 4 --no-floor --subjects ours,tokio,smol
overshoot --sleep-us 100,1000 --ms 40 --blocks 4 --no-floor --subjects ours,tokio,smol
idle --connections 1000 --ms 40 --blocks 2 --no-floor --subjects bare,ours,tokio,smol
cascade --fds 10,1000 --ms 40 --blocks 4 --no-floor --subjects bare,ours,tokio,smol
load --connections 16 --percent 20,50,80 --ms 400 --blocks 4 --no-floor --subjects bare,ours,tokio
churn --ms 60 --blocks 4 --no-floor --subjects bare,ours,tokio,smol
fair --ms 400 --blocks 2 --no-floor --subjects bare,ours,tokio
overload --ms 100 --blocks 2 --no-floor --subjects bare,ours,tokio
capacity --ms 120 --blocks 2 --no-floor --subjects bare,ours,tokio";

const FULL: &str = "\
ring --registered 1,2,4,8,64,256,1024,4096,8192 --ms 200 --blocks 10 --subjects bare-epoll,bare-poll,bare-select,ours-epoll,ours-epoll-edge,ours-epoll-oneshot,ours-poll,ours-select,mio,polling
ring --registered 64,512,4096 --active 32,256,2048 --writes 8192 --ms 200 --blocks 10 --no-floor --subjects bare-epoll,ours-epoll,ours-poll,ours-select
map --most 8192 --ms 1000 --blocks 5 --no-floor
register --ms 100 --blocks 5 --no-floor
echo --ms 500 --blocks 10
load --connections 16 --percent 10,50,70,90,110 --ms 1500 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol,monoio,compio
fair --ms 1000 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol
overload --ms 500 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol
capacity --ms 300 --blocks 4 --no-floor --subjects bare,ours,ours-poll,tokio,smol
switch --ms 200 --blocks 5 --no-floor
storm --ms 200 --blocks 5 --no-floor
overshoot --ms 300 --blocks 5 --no-floor
wake --placement same-cpu,split --ms 300 --blocks 5 --no-floor
cascade --ms 300 --blocks 5 --no-floor
churn --ms 300 --blocks 5 --no-floor
scaling --connections 1,10,100,1000,9000 --ms 300 --blocks 5 --no-floor --subjects bare,ours,ours-level,ours-poll,ours-select
idle --connections 1000,5000,9000 --ms 300 --blocks 3 --no-floor
storm --timers 10000000 --ms 1 --blocks 1 --no-floor --subjects ours,tokio";

/// Measures a preset and writes everything into a folder.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let folder = &options.folder;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut session = Session::begin(3.0)?;
    let budget = options.preset.budget().map(Duration::from_secs);
    session.deadline = budget.map(|budget| Instant::now() + budget);
    for line in options.preset.lines().lines() {
        let (workload, mut asked) =
            crate::asked(&format!("{} --seed {}", here(line), options.seed))?;
        if workload
            .placements
            .iter()
            .any(|placement| placement.possible())
        {
            crate::measure(&mut session, workload, &mut asked);
        }
    }
    let file = |name: &str| Some(folder.join(name));
    let (json, csv, html) = (
        file("results.json"),
        file("results.csv"),
        file("report.html"),
    );
    crate::finish(
        session,
        &Files {
            json,
            csv,
            html,
            hgrm: None,
        },
    )
    .map(|(_, ending)| ending)
}

/// A line without the subjects that this build or this machine does not have, and on a place that it has.
fn here(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut of_subjects = false;
    for word in line.split_whitespace() {
        let known = |name: &&str| {
            let selector = subjects::selector(name).is_some();
            selector || subjects::named(name).is_some_and(|subject| subject.here())
        };
        let names = || word.split(',').filter(known).collect::<Vec<_>>().join(",");
        words.push(if of_subjects {
            names()
        } else {
            word.to_owned()
        });
        of_subjects = word == "--subjects";
    }
    let apart = ["load", "fair", "overload", "capacity", "wake"].contains(&words[0].as_str());
    if apart && !Placement::SplitSpin.possible() {
        words.retain(|word| word != "--placement" && word != "same-cpu,split");
        words.push("--placement same-cpu".to_owned());
    }
    words.join(" ")
}
