//! A against B: selectors in the ring, runtimes in the echo, or two programs in either.

use std::num::NonZero;

use crate::Ending;
use benches::method::{Plan, Program};
use benches::subjects;
use benches::workloads::Common;
use clap::Args;

#[derive(Args)]
pub(crate) struct Options {
    /// The one that is judged
    a: String,
    /// The one that it is judged against
    b: String,
    #[command(flatten)]
    common: Common,
    /// Of two programs: which of their subjects is measured, a selector or a runtime
    #[arg(long, value_name = "NAME", default_value = "ours")]
    subject: String,
    /// Watched fds of `ring`, connections of `echo`
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,100,1000")]
    sizes: Vec<NonZero<usize>>,
}

/// Measures both, in blocks, with a twin of B for the noise floor.
pub(crate) fn run(options: &Options) -> Result<Ending, String> {
    let names = [options.b.clone(), options.a.clone()];
    let selector = |name: &str| subjects::selector(name).is_some();
    let runtime = |name: &str| subjects::named(name).is_some();
    let all = |known: &dyn Fn(&str) -> bool| names.iter().all(|name| known(name));
    let mut session = crate::begin(&options.common)?;
    let rings = if all(&selector) || all(&runtime) {
        all(&selector)
    } else {
        let programs = Program::all(&names)?;
        let own = &options.subject;
        if !selector(own) && !runtime(own) {
            return Err(format!(
                "--subject {own}: no subject has this name; ring --subjects list shows the selectors, \
                 echo --subjects list the runtimes"
            ));
        }
        let serves = programs.values().any(|program| matches!(program, Program::Server(_)));
        session.programs = Some((programs, own.clone()));
        !serves && selector(own)
    };
    let own = session.programs.is_none();
    session.measure(&plan(options, rings, names.to_vec(), own)?);
    Ok(crate::finish(session, &options.common.files).1)
}

fn plan(options: &Options, rings: bool, names: Vec<String>, own: bool) -> Result<Plan, String> {
    let sizes: Vec<String> = options.sizes.iter().map(ToString::to_string).collect();
    let words = if rings { "ring --registered" } else { "echo --connections" };
    let Common { ms, seed, blocks, no_floor, .. } = options.common;
    let mut words =
        format!("{words} {} --ms {ms} --seed {seed} --blocks {blocks}", sizes.join(","));
    if own {
        words += &format!(" --subjects {}", names.join(","));
    }
    Ok(Plan { subjects: names, floor: !no_floor, ..crate::asked(&words)? })
}
