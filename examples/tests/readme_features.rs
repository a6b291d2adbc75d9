//! The tables that name tests: every test and every script exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The tests that a text names, by file: in a line of a table, "`path.rs::name`, `another`" are two
/// of one file. A script, `.ci/name`, is none.
fn named(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut tests = BTreeMap::<String, Vec<String>>::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let mut file = None;
        for word in line.split('`').skip(1).step_by(2) {
            if let Some((path, name)) = word.split_once(".rs::") {
                let path = format!("{path}.rs");
                tests.entry(path.clone()).or_default().push(name.to_owned());
                file = Some(path);
            } else if let Some(path) = file.as_ref().filter(|_| !word.starts_with(".ci/")) {
                tests.entry(path.clone()).or_default().push(word.to_owned());
            }
        }
    }
    tests
}

/// Is there a function of this name?
fn defines(source: &str, name: &str) -> bool {
    ["(", "<"]
        .iter()
        .any(|next| source.contains(&format!("fn {name}{next}")))
}

/// Every test that a text names exists; says how many it names.
fn all_exist(text: &str) -> usize {
    let tests = named(text);
    for (file, names) in &tests {
        let source = fs::read_to_string(root().join(file));
        let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
        for name in names {
            assert!(defines(&source, name), "no test {name:?} in {file}");
        }
    }
    tests.values().map(Vec::len).sum()
}

#[test]
fn every_test_that_holds_a_feature_exists() {
    let Ok(features) = fs::read_to_string(root().join("FEATURES.md")) else {
        // A packaged copy of this crate has none beside it.
        return;
    };
    let count = all_exist(&features);
    assert!(count >= 150, "only {count} tests are named");
}

#[test]
fn each_promise_to_a_learner_names_what_holds_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(file).expect("it is beside this crate");
    all_exist(&readme);
    for number in 1..=9 {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| {number}. ")))
            .unwrap_or_else(|| panic!("no promise {number}"));
        let (_, holds) = row.trim_end_matches('|').rsplit_once('|').expect("a cell");
        let scripts = holds.split('`').filter(|word| word.starts_with(".ci/"));
        let scripts: Vec<_> = scripts.collect();
        for script in &scripts {
            assert!(root().join(script).exists(), "no script {script}");
        }
        assert!(
            !scripts.is_empty() || !named(row).is_empty(),
            "nothing holds promise {number}"
        );
    }
}

#[test]
fn a_table_is_read_as_it_is_meant() {
    let text = "| `turn(timeout)` | `a/b.rs::one`, `two` |\n`c.rs::three` is in no table\n\
                | x | `d.rs::four`, `.ci/five` |";
    let expected = [("a/b.rs", vec!["one", "two"]), ("d.rs", vec!["four"])];
    let expected = expected.map(|(file, names)| {
        (
            file.to_owned(),
            names.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        )
    });
    assert_eq!(named(text), BTreeMap::from(expected));
    assert!(defines("fn one(variant: Variant)", "one"));
    assert!(defines("fn one<K: Kernel>()", "one"));
    assert!(!defines("fn one_more()", "one"));
}
