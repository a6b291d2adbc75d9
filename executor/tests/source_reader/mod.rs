//! Reads the sources of this crate for the tests that walk through its tables, so that no public function
//! can be forgotten in one.

#![allow(dead_code, reason = "every test binary uses its own part of this")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::mem;
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
    /// Its documentation.
    pub(crate) docs: String,
    /// Does a panic in it name the line of its caller?
    pub(crate) is_tracked: bool,
    pub(crate) body: String,
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
    let table = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/contracts.rs"))
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

/// Functions that call one of those whose panics name the line of their caller, and whose own do not: such
/// a panic is at the line of the library. In an `async` function there is no caller to name; whoever makes
/// one awaitable looks at each poll.
pub(crate) fn who_hides_the_callers_line(functions: &[Function]) -> Vec<String> {
    // A pair is std's wherever it is called. What is free is tracked for other reasons as well, and some of
    // it has namesakes.
    let has_callers = |function: &&Function| match function.of {
        Some(_) => function.name != "pair" && !function.name.starts_with("poll"),
        None => {
            let panics = |how: &&str| function.body.contains(how);
            function.before == "pub(crate) " && ["panic!", "assert!"].iter().any(panics)
        }
    };
    let tracked = functions.iter().filter(|function| function.is_tracked);
    let tracked: Vec<_> = tracked.filter(has_callers).collect();
    let calls = |function: &Function, called: &Function| {
        let is_called = |name: &str| {
            let mut before = function.body.match_indices(name).map(|(at, _)| {
                let before = function.body[..at].chars().next_back();
                before.is_none_or(|letter| !letter.is_alphanumeric() && !"_.:".contains(letter))
            });
            before.any(|is_a_word| is_a_word)
        };
        let name = &called.name;
        match &called.of {
            Some(_) if function.of == called.of && is_called(&format!("Self::{name}(")) => true,
            Some(of) => is_called(&format!("{of}::{name}(")),
            None => is_called(&format!("{name}(")) || is_called(&format!("current::{name}(")),
        }
    };
    let mut found = Vec::new();
    for function in functions {
        let called = tracked.iter().find(|called| calls(function, called));
        if let (Some(called), false, false) = (
            called,
            function.is_tracked,
            function.before.contains("async"),
        ) {
            found.push(format!(
                "{} calls {}",
                function.full_name(),
                called.full_name()
            ));
        }
    }
    found
}

/// Public functions that say that they may panic.
pub(crate) fn who_says_that_it_panics(functions: &[Function]) -> BTreeSet<String> {
    let says = |function: &&Function| function.is_public && function.docs.contains("# Panics");
    functions
        .iter()
        .filter(says)
        .map(Function::full_name)
        .collect()
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
    let code = source
        .lines()
        .take_while(|line| *line != "#[cfg(test)]" && !line.starts_with("#[cfg(all(test"));
    let mut of = None;
    let mut of_trait = false;
    let mut open = false;
    let (mut docs, mut is_tracked) = (String::new(), false);
    // How far the function stands in whose body this is.
    let mut indented = None;
    for line in code {
        let text = line.trim_start();
        if let Some(said) = text.strip_prefix("///") {
            docs.push_str(said);
            docs.push('\n');
        }
        if text.starts_with("//") {
            continue;
        }
        if let (false, Some(depth), Some(last)) = (open, indented, found.last_mut()) {
            last.body.push_str(text);
            last.body.push('\n');
            if text == "}" && line.len() - text.len() == depth {
                indented = None;
            }
        }
        if text.starts_with("#[") {
            is_tracked |= text == "#[track_caller]";
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
                docs: mem::take(&mut docs),
                is_tracked: mem::take(&mut is_tracked),
                body: String::new(),
            });
            open = true;
            indented = Some(line.len() - text.len());
        } else if let (true, Some(last)) = (open, found.last_mut()) {
            last.signature.push(' ');
            last.signature.push_str(text);
        }
        if !text.is_empty() {
            docs.clear();
            is_tracked = false;
        }
        let ends_here = text.ends_with(';') || text.ends_with('}');
        if open && ends_here {
            indented = None;
        }
        open = open && !text.ends_with('{') && !ends_here;
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
