//! What a workload is: its name, who can do it, its parameters, how it is measured and how it is
//! shown. Each of the files beside this one holds one.

use crate::method::{Nature, Offer, Outcome, Placement, Spec};
use crate::report::Shown;
use crate::subjects;
use crate::subjects::{BARE, NULL, Subject};

pub struct Workload {
    pub shown: Shown,
    pub about: &'static str,
    pub who: Who,
    /// Where it can run; the first one is the usual.
    pub placements: &'static [Placement],
    pub parameters: &'static [&'static [Parameter]],
    /// The metrics that verdicts are about, the best one first; lower is better. Each with the
    /// percentile that it stands for: 0 is one that noise does not touch, 100 one that any noise is
    /// in.
    pub costs: &'static [(&'static str, f64)],
    /// A cost below this is next to nothing: no ratio is taken against it.
    pub least: f64,
    pub nature: Nature,
    /// Makes a point whole, or says that it makes no sense.
    pub fix: fn(&mut Spec) -> bool,
    /// How what the generator can do at a point is measured, if there is a generator.
    pub null: fn(&Spec) -> Option<Spec>,
    pub offer: Option<Offer>,
    pub measure: fn(&Spec) -> Result<Outcome, String>,
}

#[derive(Clone, Copy)]
pub enum Who {
    Selectors,
    Loops(fn(&Subject) -> bool),
}

pub const TASKS: Who = Who::Loops(|subject| subject.tasks && !subject.spins);

pub struct Parameter {
    /// In results; on the command line with dashes.
    pub name: &'static str,
    /// What is measured if nobody chooses, with commas between; may be nothing.
    pub usual: &'static str,
    pub about: &'static str,
    pub of: Of,
    /// Numbers below this are refused.
    pub least: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Number,
    /// A whole number, of things.
    Count,
    Word(&'static [&'static str]),
    /// Numbers that are no part of a point: it follows from them.
    Apart,
}

pub const fn number(name: &'static str, usual: &'static str, about: &'static str) -> Parameter {
    Parameter { name, usual, about, of: Of::Number, least: 0.0 }
}

/// A number of things, which may be none.
pub const fn whole(name: &'static str, usual: &'static str, about: &'static str) -> Parameter {
    Parameter { of: Of::Count, ..number(name, usual, about) }
}

/// A number of things of which there is one at least.
pub const fn some(name: &'static str, usual: &'static str, about: &'static str) -> Parameter {
    Parameter { least: 1.0, ..whole(name, usual, about) }
}

pub const fn apart(name: &'static str, usual: &'static str, about: &'static str) -> Parameter {
    Parameter { of: Of::Apart, ..some(name, usual, about) }
}

pub const fn word(
    name: &'static str,
    usual: &'static str,
    words: &'static [&'static str],
    about: &'static str,
) -> Parameter {
    Parameter { of: Of::Word(words), ..number(name, usual, about) }
}

/// Where an open loop can run.
const PLACEMENTS: &[Placement] =
    &[Placement::SplitSpin, Placement::SameCpu, Placement::Split, Placement::SpinSpin];
/// What client and server have in common.
pub const WIRE: &[Parameter] = &[
    some("connections", "50", "Connections that are used"),
    whole("idle", "0", "Connections that are only open"),
    some("depth", "1", "Messages under way on each connection, at most"),
    some("size", "64", "Bytes in a message"),
];
/// How raw selectors are connected: it ranks them.
pub const TRANSPORT: Parameter =
    word("transport", "socketpair", &["pipe", "socketpair", "tcp"], "What the bytes pass through");
pub const ARRIVALS: Parameter =
    word("arrivals", "even", &["even", "poisson"], "Even, or random (seeded) arrivals");

impl Workload {
    /// Work in one thread, on the selectors; the rest of the fields is for each to say.
    pub const fn new(
        shown: Shown,
        about: &'static str,
        measure: fn(&Spec) -> Result<Outcome, String>,
    ) -> Self {
        Self {
            shown,
            about,
            who: Who::Selectors,
            placements: &[Placement::OneThread],
            parameters: &[],
            costs: &[],
            least: 0.0,
            nature: Nature::Paired,
            fix: |_| true,
            null: |_| None,
            offer: None,
            measure,
        }
    }

    /// A client and a server, which any loop and any runtime can be.
    pub const fn of_servers(
        shown: Shown,
        about: &'static str,
        measure: fn(&Spec) -> Result<Outcome, String>,
    ) -> Self {
        Self {
            who: Who::Loops(|_| true),
            placements: PLACEMENTS,
            nature: Nature::Timed,
            null: null_of_a_loop,
            ..Self::new(shown, about, measure)
        }
    }

    pub const fn name(&self) -> &'static str {
        self.shown.name
    }

    /// Whether a client and a server are in it.
    pub fn serves(&self) -> bool {
        self.nature == Nature::Timed && self.all().any(|one| one.name == "size")
    }

    pub fn all(&self) -> impl Iterator<Item = &'static Parameter> {
        self.parameters.iter().copied().flatten()
    }

    pub fn point(&self, placement: Placement) -> Spec {
        Spec {
            workload: self.name().to_owned(),
            placement,
            costs: self.costs.iter().map(|(name, _)| (*name).to_owned()).collect(),
            least: self.least,
            nature: self.nature,
            ..Spec::default()
        }
    }

    /// The subjects that are named, or the usual ones, the baseline first.
    pub fn subjects(&self, named: &[String], placement: Placement) -> Result<Vec<String>, String> {
        let able = self.able();
        let known = |name: &String| able.iter().any(|(other, _)| other == name);
        if let Some(unknown) = named.iter().find(|name| !known(name)) {
            return Err(format!("no subject is named {unknown}; there are:\n{}", self.list()));
        }
        let spin = placement == Placement::SpinSpin;
        for one in named.iter().filter_map(|name| subjects::named(name)) {
            if one.spins != spin {
                let (name, does) = (one.name, if spin { "sleeps" } else { "spins" });
                return Err(format!(
                    "{name} {does}: spin-spin is for those that spin, and --server"
                ));
            }
            if let Some(remedy) = (one.missing)() {
                return Err(format!("{} is not here: {remedy}", one.name));
            }
        }
        if !named.is_empty() {
            return Ok(named.to_vec());
        }
        let Who::Loops(able) = self.who else {
            let usual = subjects::selectors().filter(|one| one.usual);
            return Ok(usual.map(|one| one.name.to_owned()).collect());
        };
        let able: Vec<&Subject> =
            subjects::all().filter(|one| able(one) && one.spins == spin).collect();
        // Of tasks ours on one backend is enough: they do not differ.
        let tasks = !able.iter().any(|one| one.name == BARE);
        let usual = |one: &&&Subject| {
            let backend = tasks && one.name.starts_with("ours-");
            spin || (one.shown && one.here() && !backend)
        };
        let mut usual: Vec<String> =
            able.iter().filter(usual).map(|one| one.name.to_owned()).collect();
        usual.sort_by_key(|name| name != BARE && !(tasks && name == "ours"));
        Ok(usual)
    }

    /// Who can do it, each with what it is.
    fn able(&self) -> Vec<(&'static str, &'static str)> {
        match self.who {
            Who::Selectors => subjects::selectors().map(|one| (one.name, one.about)).collect(),
            Who::Loops(able) => {
                subjects::all().filter(|one| able(one)).map(|one| (one.name, one.about)).collect()
            }
        }
    }

    /// The same, a line each.
    pub fn list(&self) -> String {
        let lines = self.able().into_iter().map(|(name, about)| format!("  {name:20} {about}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What a generator of an open or a closed loop can do: connections to themselves, with four times
/// the depth.
pub fn null_of_a_loop(spec: &Spec) -> Option<Spec> {
    let mut null =
        Spec { workload: "echo".to_owned(), placement: spec.placement, ..Spec::default() };
    for name in ["connections", "idle", "size"] {
        null.set(name, spec.number(name));
    }
    null.set("depth", 4.0 * spec.number("depth").max(1.0));
    NULL.clone_into(&mut null.subject);
    null.milliseconds = spec.milliseconds.min(300);
    null.seed = spec.seed;
    Some(null)
}
