//! Reads the sources of this crate for the tests that walk through its tables, so that no public function
//! can be forgotten in one.

#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// A function as it stands in the sources.
pub(crate) struct Function {
    /// The type that it is a method of.
    pub(crate) of: Option<String>,
    pub(crate) name: String,
    /// `pub`, or a method of a trait's implementation.
    pub(crate) is_public: bool,
    /// What stands before its `fn`.
    pub(crate) before: String,
    /// From its name to its body.
    pub(crate) signature: String,
}

impl Function {
    /// As the tables have it: `of::name`.
    pub(crate) fn full_name(&self) -> String {
        match &self.of {
            Some(of) => format!("{of}::{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The rows of the table of awaits, each method on its own.
pub(crate) fn table_of_awaits() -> BTreeSet<String> {
    let mut rows = BTreeSet::new();
    let table = include_str!("../../src/contracts.rs")
        .lines()
        .skip_while(|line| *line != "//! # Awaits")
        .skip(1)
        .take_while(|line| !line.starts_with("//! # "))
        .filter_map(|line| line.strip_prefix("//! | ")?.split_once(" | "))
        .filter(|(of, _)| *of != "of");
    for (of, rest) in table {
        let of = of.trim_matches('`');
        let methods = rest.split(" | ").next().unwrap_or_default();
        for method in methods.split(", ").map(|method| method.trim_matches('`')) {
            let row = match of {
                "free" => method.to_owned(),
                _ => format!("{of}::{method}"),
            };
            assert!(rows.insert(row.clone()), "{row} is there twice");
        }
    }
    rows
}

/// All functions of the sources, but those of their tests.
pub(crate) fn functions() -> io::Result<Vec<Function>> {
    let mut found = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    functions_below(&sources, &mut found)?;
    Ok(found)
}

fn functions_below(folder: &Path, found: &mut Vec<Function>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            functions_below(&path, found)?;
        } else if path.extension().is_some_and(|name| name == "rs") {
            functions_of(&fs::read_to_string(&path)?, found);
        }
    }
    Ok(())
}

fn functions_of(source: &str, found: &mut Vec<Function>) {
    let code = source.lines().take_while(|line| *line != "#[cfg(test)]");
    let mut of = None;
    let mut of_trait = false;
    let mut open = false;
    for line in code {
        let text = line.trim_start();
        if text.starts_with("//") {
            continue;
        }
        if line == "}" {
            (of, of_trait) = (None, false);
        }
        if text.starts_with("impl<") || text.starts_with("impl ") {
            let (name, is_trait) = type_of(text);
            // These are futures, and no names of the public.
            of_trait = is_trait && !["Operation", "Driven", "Begun"].contains(&&*name);
            of = Some(name);
            continue;
        }
        if let (false, Some((before, after))) = (open, text.split_once("fn ")) {
            found.push(Function {
                of: of.clone(),
                name: after
                    .split(['(', '<'])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                is_public: before.starts_with("pub ") || of_trait && before.is_empty(),
                before: before.to_owned(),
                signature: after.to_owned(),
            });
            open = true;
        } else if let (true, Some(last)) = (open, found.last_mut()) {
            last.signature.push(' ');
            last.signature.push_str(text);
        }
        open = open && !text.ends_with('{') && !text.ends_with(';') && !text.ends_with('}');
    }
}

/// Of `impl<..> Trait for crate::Type<..> {` the type, and whether there is a trait.
fn type_of(header: &str) -> (String, bool) {
    let (is_trait, of) = match header.split_once(" for ") {
        // Of a bound such as `for<'a> &'a T` no such words are left.
        Some((_, of)) => (true, of),
        None => {
            let mut depth = 0;
            let end = header.find(|letter| {
                depth += i32::from(letter == '<') - i32::from(letter == '>');
                depth == 0 && (letter == ' ' || letter == '>')
            });
            (false, &header[end.map_or(0, |end| end + 1)..])
        }
    };
    let of = of.trim_start_matches([' ', '&']);
    let path = of.split(['<', ' ']).next().unwrap_or_default();
    let name = match (path.rsplit("::").next().unwrap_or_default(), is_trait) {
        ("$type", true) => "every stream and half",
        ("$type", false) => "every socket and half",
        (name, _) => name,
    };
    (name.to_owned(), is_trait)
}
