//! Cargo puts the examples of all crates into one folder. Of two with one name, one overwrites the
//! other, and who starts one gets either.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

/// The names of all examples of the workspace, as cargo lists them.
fn names() -> Vec<String> {
    let output = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let targets = text.split("\"kind\":[\"example\"]").skip(1);
    let names = targets.filter_map(|target| target.split("\"name\":\"").nth(1)?.split('"').next());
    names.map(str::to_owned).collect()
}

#[test]
fn no_two_examples_of_the_workspace_have_one_name() {
    let names = names();
    assert!(names.len() > 20, "only {names:?}");
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = names.iter().filter(|name| !seen.insert(*name)).collect();
    assert!(twice.is_empty(), "{twice:?}");
}
