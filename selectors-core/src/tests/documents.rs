//! `CONTRACT.md` is true: every row of the contract is in it, and has a test or a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How many rows the contract has under each letter.
const ROWS: [(char, usize); 9] = [
    ('N', 8),
    ('F', 9),
    ('R', 13),
    ('U', 9),
    ('M', 14),
    ('S', 26),
    ('G', 7),
    ('C', 6),
    ('A', 18),
];

/// Rows that the layers above keep; see the note in `CONTRACT.md`.
const ELSEWHERE: [&str; 5] = ["A2", "A5", "A9", "A11", "A16"];

/// The names of all tests, below `folder`.
fn test_names(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            test_names(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines() {
                let Some(rest) = line.trim_start().strip_prefix("fn ") else {
                    continue;
                };
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                names.insert(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
}

/// Test names by each part of them: `r5_f1_something` is under `r5` and `f1`.
fn by_part() -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    test_names(&root.join("src"), &mut names);
    test_names(&root.join("tests"), &mut names);
    let mut parts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        for part in name.split('_') {
            parts.entry(part.to_owned()).or_default().push(name.clone());
        }
    }
    parts
}

/// The cells of the row that begins with this id.
fn row(id: &str) -> Vec<&'static str> {
    let contract = include_str!("../../CONTRACT.md");
    let start = format!("| {id} |");
    let mut rows = contract.lines().filter(|line| line.starts_with(&start));
    let row = rows
        .next()
        .unwrap_or_else(|| panic!("CONTRACT.md has no row {id}"));
    assert!(rows.next().is_none(), "CONTRACT.md has row {id} twice");
    row.trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn contract_rows_have_tests_or_reasons() {
    let tests = by_part();
    let contract = include_str!("../../CONTRACT.md");
    let mut missing = Vec::new();
    for (letter, count) in ROWS {
        for number in 1..=count {
            let id = format!("{letter}{number}");
            let cells = row(&id);
            let (verdict, how) = (cells[1], cells[2]);
            let of_row = tests.get(&id.to_lowercase()).map_or(&[][..], Vec::as_slice);
            println!("{id:4} {verdict:7} {}", of_row.join(", "));
            let is_covered = match verdict {
                "kept" | "better" => !of_row.is_empty() || ELSEWHERE.contains(&&*id),
                "type" => !how.is_empty(),
                other => panic!("{id}: {other:?} is no verdict"),
            };
            if !is_covered {
                missing.push(id.clone());
            }
            // An example that is named must be there.
            if let Some((_, example)) = how.split_once("example ") {
                let number = example.split(|c: char| !c.is_ascii_digit()).next().unwrap();
                assert!(
                    contract.contains(&format!("\n{number}. ")),
                    "{id}: example {number}"
                );
            }
        }
    }
    assert!(missing.is_empty(), "no test for {missing:?}");
}

#[test]
fn contract_issues_have_tests() {
    let tests = by_part();
    let contract = include_str!("../../CONTRACT.md");
    for line in contract.lines().filter(|line| line.starts_with("| gh-")) {
        let issue = line.trim_matches('|').split('|').next().unwrap().trim();
        let part = issue.replace('-', "");
        let is_said_in_docs = line.contains("FAQ");
        assert!(
            is_said_in_docs || tests.contains_key(&part),
            "no test for {issue}"
        );
    }
}

#[test]
fn contract_names_pythons_tests_by_prefixes_that_exist() {
    let names: Vec<String> = by_part().into_values().flatten().collect();
    let contract = include_str!("../../CONTRACT.md");
    for line in contract.lines().filter(|line| line.starts_with("| test_")) {
        let here = line.rsplit('|').nth(1).unwrap();
        for prefix in here
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|name| name.ends_with('_'))
        {
            let part = prefix.trim_end_matches('_');
            let found = names
                .iter()
                .any(|name| name.starts_with(prefix) || name.split('_').any(|other| other == part));
            assert!(found, "{line}: no test {prefix}");
        }
    }
}

/// What stands between backticks in a cell, and is no mere name.
fn code(cell: &str) -> Vec<String> {
    let spans = cell.split('`').skip(1).step_by(2);
    let spans = spans.map(|span| span.replace('\u{0}', "|"));
    spans
        .filter(|span| span.contains(['(', '{', '!', '&', '|']))
        .collect()
}

#[test]
fn coming_from_each_row_stands_in_the_program_below_its_table() {
    let page = include_str!("../../DOCS.md");
    let mut tables = 0;
    for section in page.split("\n# Coming from ").skip(1) {
        tables += 1;
        let (table, rest) = section.split_once("\n```\n").expect("a program below it");
        let program = rest.split("\n```").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
        for row in rows {
            let cells = row.replace("\\|", "\u{0}");
            let cells: Vec<_> = cells.split('|').collect();
            assert_eq!(cells.len(), 4, "{row}");
            let (here, pieces) = (cells[2].trim(), code(cells[2]));
            assert!(
                !pieces.is_empty() || here.starts_with("none"),
                "no code: {row}"
            );
            for piece in pieces {
                assert!(program.contains(&piece), "{piece}");
            }
        }
    }
    assert_eq!(tables, 2);
}
