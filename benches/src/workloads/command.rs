//! A workload on the command line: its options are its parameters, its points all combinations.

use std::collections::BTreeMap;
use std::num::NonZero;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::{Of, Workload};
use crate::method::{Placement, Plan, Spec, server};
use crate::report::Files;

/// What all measuring commands understand.
#[derive(Args, Clone)]
pub struct Common {
    /// Interleaved blocks at most, each with one slice of every subject; a point that has five ends
    /// when the answer is clear
    #[arg(long, value_name = "N", default_value = "20")]
    pub blocks: NonZero<usize>,
    /// Seconds, shared by the points: one whose share is used up ends after five blocks
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    pub budget: NonZero<u64>,
    /// Milliseconds measured in each slice, after its warm-up
    #[arg(long, value_name = "MILLISECONDS", default_value = "500")]
    pub ms: NonZero<u64>,
    /// Percent of difference that count
    #[arg(long, value_name = "PERCENT", default_value_t = 3.0)]
    pub threshold: f64,
    /// Seed of orders, arrivals and layouts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Leave out the A/A run, and with it the noise floor
    #[arg(long)]
    pub no_floor: bool,
    #[command(flatten)]
    pub files: Files,
}

pub fn command(workload: &'static Workload) -> Command {
    let several =
        |name: &'static str, of: &'static str| Arg::new(name).value_delimiter(',').value_name(of);
    let mut options: Vec<Arg> = Vec::new();
    for one in workload.all() {
        let arg = match one.of {
            Of::Word(words) => {
                several(one.name, "WORD,...").value_parser(PossibleValuesParser::new(words))
            }
            Of::Number | Of::Count | Of::Apart => several(one.name, "N,...")
                .value_parser(move |text: &str| number(text, one.of == Of::Count, one.least)),
        };
        let arg = if one.usual.is_empty() { arg } else { arg.default_value(one.usual) };
        options.push(arg.long(one.name.replace('_', "-")).help(one.about));
    }
    if let [usual, _, ..] = workload.placements {
        // Each with its own words.
        let places = workload.placements.iter().filter_map(ValueEnum::to_possible_value);
        let known = |name: String| Placement::from_str(&name, false).unwrap_or_default();
        let places = several("placement", "WHERE,...")
            .value_parser(PossibleValuesParser::new(places).map(known));
        options.push(places.long("placement").default_value(usual.name()).help("Who runs where"));
    }
    if workload.serves() {
        let server = Arg::new("server").long("server").value_name("127.0.0.1:PORT");
        options.push(server.help("An echo server that runs already; only on the loopback"));
    }
    let subjects = several("subjects", "NAME,...").long("subjects");
    options.push(subjects.help(
        "Subjects, the first one being what the others are compared with; `list` shows them",
    ));
    let command = Common::augment_args(Command::new(workload.name()).args(options));
    // Last, for what is derived brings words of its own.
    command.about(workload.about).long_about(None)
}

fn number(text: &str, whole: bool, least: f64) -> Result<f64, String> {
    let kind = if whole { "whole number" } else { "number" };
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !(whole && number.fract() != 0.0) => {
            (number >= least).then_some(number).ok_or_else(|| format!("it is below {least}"))
        }
        _ => Err(format!("it is no {kind}")),
    }
}

/// Whether somebody asks who there is, and for no run.
pub fn wants_the_list(matches: &ArgMatches) -> bool {
    matches.get_many::<String>("subjects").is_some_and(|mut all| all.any(|name| name == "list"))
}

pub fn asked(workload: &'static Workload, matches: &ArgMatches) -> Result<(Plan, Common), String> {
    let common = Common::from_arg_matches(matches).map_err(|error| error.to_string())?;
    let all = |name: &str| -> Vec<&String> {
        let given = matches.try_get_many::<String>(name).ok().flatten();
        given.map(Iterator::collect).unwrap_or_default()
    };
    let placements = matches.try_get_many::<Placement>("placement").ok().flatten();
    let placements: Vec<Placement> = match placements {
        Some(placements) => placements.copied().collect(),
        // Whoever has one place only is not asked.
        None => workload.placements.iter().take(1).copied().collect(),
    };
    if let Some(one) = placements.iter().find(|one| !one.possible()) {
        return Err(format!("{} needs two CPUs", one.name()));
    }
    let address = all("server").first().map(|address| (*address).clone());
    let subjects = match &address {
        Some(address) => {
            server::reached(server::loopback(address)?)?;
            vec![address.clone()]
        }
        None => {
            let named: Vec<String> = all("subjects").into_iter().cloned().collect();
            workload.subjects(&named, placements[0])?
        }
    };
    let base = |placement: Placement| {
        let mut point = workload.point(placement);
        point.milliseconds = common.ms.get();
        point.seed = common.seed;
        point.server.clone_from(&address);
        point
    };
    let mut points: Vec<Spec> = placements.into_iter().map(base).collect();
    let mut apart = BTreeMap::new();
    for one in workload.all() {
        let numbers = || -> Vec<f64> {
            matches.get_many::<f64>(one.name).map(|all| all.copied().collect()).unwrap_or_default()
        };
        match one.of {
            Of::Apart => drop(apart.insert(one.name, numbers())),
            Of::Number | Of::Count => {
                points = across(&points, &numbers(), |point, value| {
                    point.set(one.name, *value);
                });
            }
            Of::Word(_) => {
                points = across(&points, &all(one.name), |point, word| {
                    point.choices.insert(one.name.to_owned(), (*word).clone());
                });
            }
        }
    }
    let mut whole: Vec<Spec> = Vec::new();
    for mut point in points {
        // Different words may mean the same.
        if (workload.fix)(&mut point) && !whole.contains(&point) {
            whole.push(point);
        }
    }
    if whole.is_empty() {
        return Err(
            "no combination of these makes a point: see --help for what each may be".to_owned()
        );
    }
    let (blocks, floor) = (common.blocks.get(), !common.no_floor);
    let (null, offer) = (workload.null, workload.offer);
    Ok((Plan { points: whole, subjects, blocks, floor, null, offer, apart }, common))
}

/// Each point with each of these values; without any the points as they are.
fn across<T>(points: &[Spec], values: &[T], set: impl Fn(&mut Spec, &T)) -> Vec<Spec> {
    if values.is_empty() {
        return points.to_vec();
    }
    let with = |value: &T, point: &Spec| {
        let mut point = point.clone();
        set(&mut point, value);
        point
    };
    // The parameter that is declared last changes fastest.
    points.iter().flat_map(|point| values.iter().map(move |value| with(value, point))).collect()
}
