//! What is done: one file each, from its parameters to its figure, and a line in [`ALL`].

pub mod alone;
pub mod capacity;
pub mod churn;
pub mod command;
pub mod echo;
pub mod fair;
pub mod idle;
pub mod load;
pub mod map;
pub mod overload;
pub mod overshoot;
pub mod register;
pub mod ring;
pub mod scaling;
pub mod storm;
pub mod switch;
pub mod wake;
pub mod workload;

pub use command::Common;
pub use load::{Ends, Trouble};
pub use ring::selector;
pub use switch::on_runtime;
pub use workload::{
    ARRIVALS, Of, Parameter, TASKS, TRANSPORT, WIRE, Who, Workload, apart, null_of_a_loop, number,
    some, whole, word,
};

use crate::method::quiet::Watch;
use crate::method::schema::{Slice, Spec};
use crate::report::shown::Shown;
use crate::subjects::faulty::{self, Wrong};
use crate::terminal::say;
use crate::{subjects, sys};

/// All of them, in the order of the help and of the page.
pub static ALL: &[Workload] = &[
    ring::WORKLOAD,
    map::WORKLOAD,
    register::WORKLOAD,
    echo::WORKLOAD,
    load::WORKLOAD,
    capacity::WORKLOAD,
    fair::WORKLOAD,
    overload::WORKLOAD,
    churn::WORKLOAD,
    scaling::WORKLOAD,
    switch::WORKLOAD,
    storm::WORKLOAD,
    overshoot::WORKLOAD,
    wake::WORKLOAD,
    idle::WORKLOAD,
];

pub fn named(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name() == name)
}

pub fn shown() -> Vec<Shown> {
    ALL.iter().map(|workload| workload.shown).collect()
}

pub fn measure(spec: Spec) -> Result<Slice, String> {
    let workload =
        named(&spec.workload).ok_or_else(|| format!("no workload is named {}", spec.workload))?;
    let place = spec.placement;
    if place == crate::method::placement::Placement::OneThread {
        // Refused in some sandboxes: the row then carries the noise, if there is any.
        let _ = sys::pin_to_cpu(place.server_cpu());
    }
    let watch = Watch::begin(&[]);
    let mut outcome = (workload.measure)(&spec)?;
    let quiet = outcome.watched.take().unwrap_or_else(|| watch.end());
    Ok(outcome.judged(spec, quiet, workload.costs))
}

/// What this program starts itself with, and no command line for people: a subject that is measured,
/// or a slice; nothing if these are other words.
pub fn inner(words: &[String]) -> Option<Result<(), String>> {
    let (first, rest) = words.split_first()?;
    match first.as_str() {
        "subject" => Some(play(rest)),
        "slice" => Some(slice(rest)),
        _ => None,
    }
}

/// A slice: its description in, its result out, both JSON.
fn slice(words: &[String]) -> Result<(), String> {
    let [text] = words else {
        return Err("a slice is started with its description".to_owned());
    };
    let spec: Spec = serde_json::from_str(text).map_err(|error| error.to_string())?;
    // Why it could not be measured is an answer as well: said once, beside the figures.
    let result = measure(spec.clone()).unwrap_or_else(|problem| Slice::failed(spec, problem));
    say(serde_json::to_string(&result).map_err(|error| error.to_string())?);
    Ok(())
}

/// Runs one work of one subject in this process: `WORK NAME COUNT`. A server first says where it listens;
/// facts go to standard output, a line each.
fn play(words: &[String]) -> Result<(), String> {
    let [work, name, count] = words else {
        return Err("a subject is started with WORK NAME COUNT".to_owned());
    };
    let count: usize = count.parse().map_err(|_| "COUNT is a number")?;
    if let Some(wrong) = Wrong::named(name) {
        return faulty::serve(wrong);
    }
    sys::limit_open_files(None).map_err(|error| error.to_string())?;
    let subject = subjects::named(name).ok_or_else(|| format!("no subject is named {name}"))?;
    let mut facts = match work.as_str() {
        "serve" => {
            (subject.serve)(count);
            Vec::new()
        }
        work => alone::run(work, name, count as u64)?,
    };
    facts.push(("allocations", crate::method::allocations::allocations() as f64));
    for (name, value) in facts {
        say(format_args!("{name} {value}"));
    }
    Ok(())
}
