//! The subjects that the command line names, or the usual ones: who can be measured by what.

use benches::selbench::placement::Placement;
use benches::selbench::{dispatch, server};
use benches::subject::Subject;
use benches::subjects;

use crate::arguments::Common;

/// All runtimes, the bare loop first and the one that only full tables have last.
pub(crate) const EVERY: [&str; 9] = [
    "bare",
    "ours",
    "ours-level",
    "ours-poll",
    "ours-select",
    "mio",
    "tokio",
    "smol",
    "monoio",
];

/// Those that are usually measured: all but the last.
pub(crate) const USUAL: &[&str] = EVERY.split_at(EVERY.len() - 1).0;

/// Selectors that were asked for, or the usual ones.
pub(super) fn selectors(common: &Common) -> Result<Vec<String>, String> {
    let names = || dispatch::ALL.iter().map(|kind| (kind.name, kind.about));
    let usual = dispatch::ALL.iter().filter(|kind| kind.usual);
    choose(
        common,
        &names().collect::<Vec<_>>(),
        usual.map(|kind| kind.name),
    )
}

/// Runtimes that were asked for, or the usual ones. Whether they spin is the placement's to say,
/// for it is what a row tells.
pub(super) fn runtimes(common: &Common, placement: Placement) -> Result<Vec<String>, String> {
    let spin = placement == Placement::SpinSpin;
    let all = subjects::all();
    let names: Vec<_> = all.iter().map(|one| (one.name, one.about)).collect();
    let wrong = |name: &&String| Subject::named(name).is_some_and(|one| one.spins != spin);
    if let Some(wrong) = common.subjects.iter().find(wrong) {
        return Err(if spin {
            format!("{wrong} sleeps: spin-spin is for subjects that spin, and for --server")
        } else {
            format!("{wrong} spins: its placement is spin-spin")
        });
    }
    if spin {
        let usual = all.iter().filter(|one| one.spins).map(|one| one.name);
        return choose(common, &names, usual);
    }
    let usual = USUAL.iter().copied();
    let known = |name: &&str| Subject::named(name).is_some();
    choose(common, &names, usual.filter(known))
}

/// Everything that serves and sleeps that was asked for, or all that is in the usual tables: the
/// bare loop first.
pub(crate) fn servers(common: &Common) -> Result<Vec<String>, String> {
    sleeping(common, |_| true)
}

/// Everything with timers that was asked for, or all that is in the usual tables: the bare loop
/// first.
pub(crate) fn cascaders(common: &Common) -> Result<Vec<String>, String> {
    sleeping(common, |one| one.cascade.is_some())
}

/// Whoever accepts connections that come and go: those that were asked for, or all that are in the
/// usual tables, the bare loop first; or the server at an address.
pub(crate) fn dialled(
    common: &Common,
    placement: Placement,
    address: Option<&str>,
) -> Result<Vec<String>, String> {
    if !placement.possible() {
        return Err(format!("{} needs two CPUs", placement.name()));
    }
    if let Some(address) = address {
        server::loopback(address)?;
        return Ok(vec![address.to_owned()]);
    }
    sleeping(common, |one| one.accept.is_some())
}

/// Those that sleep and are `able` to do what is measured: who was asked for, or all that are in
/// the usual tables.
fn sleeping(common: &Common, able: fn(&Subject) -> bool) -> Result<Vec<String>, String> {
    let able = || {
        subjects::all()
            .iter()
            .filter(move |one| able(one) && !one.spins)
    };
    let all: Vec<_> = able().map(|one| (one.name, one.about)).collect();
    let usual = able().filter(|one| one.shown).map(|one| one.name);
    choose(common, &all, usual)
}

/// Runtimes with tasks that were asked for, or the usual ones: ours first, for the bare loop has no
/// tasks to compare with.
pub(crate) fn executors(common: &Common) -> Result<Vec<String>, String> {
    let all: Vec<_> = subjects::all()
        .iter()
        .filter(|one| one.tasks.is_some())
        .map(|one| (one.name, one.about))
        .collect();
    let usual = ["ours", "tokio", "smol", "monoio"].into_iter();
    let known = |name: &&str| all.iter().any(|(one, _)| one == name);
    choose(common, &all, usual.filter(known))
}

fn choose(
    common: &Common,
    all: &[(&str, &str)],
    usual: impl Iterator<Item = &'static str>,
) -> Result<Vec<String>, String> {
    if common.subjects.is_empty() {
        return Ok(usual.map(str::to_owned).collect());
    }
    let known = |name: &String| all.iter().any(|(other, _)| other == name);
    if let Some(unknown) = common.subjects.iter().find(|name| !known(name)) {
        let lines: Vec<String> = all
            .iter()
            .map(|(name, about)| format!("  {name:20} {about}"))
            .collect();
        return Err(format!(
            "no subject is named {unknown}; there are:\n{}",
            lines.join("\n")
        ));
    }
    Ok(common.subjects.clone())
}
