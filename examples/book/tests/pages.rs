//! The book holds together: its diffs are those of today, its links lead somewhere, and each of
//! the fifteen questions has its answer, its trace and its test.

use std::fs;
use std::path::{Path, PathBuf};

use book::listing::listing;
use book::quote::quotes;
use book::table::LOOPS;
use book::timeline::foreign;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Each page: its name and its text.
fn pages() -> Vec<(String, String)> {
    let entries = fs::read_dir(folder()).expect("the pages");
    let paths = entries.map(|entry| entry.expect("a page").path());
    paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a page is text");
            (name.into_owned(), text)
        })
        .collect()
}

/// The targets of all Markdown links of a page, without the code blocks.
fn links(text: &str) -> Vec<String> {
    let mut in_code = false;
    let prose = text.lines().filter(|line| {
        in_code ^= line.starts_with("```");
        !in_code
    });
    let targets = prose.flat_map(|line| line.split("](").skip(1));
    targets
        .filter_map(|rest| Some(rest.split_once(')')?.0.to_owned()))
        .collect()
}

fn has_anchor(text: &str, anchor: &str) -> bool {
    text.contains(&format!("id=\"{anchor}\"")) || text.contains(&format!("{{#{anchor}}}"))
}

#[test]
fn the_diffs_are_those_of_today() {
    for file in book::made::all().expect("the diffs") {
        let kept = fs::read_to_string(&file.path).unwrap_or_default();
        let name = file.path.display();
        assert!(
            kept == file.text,
            "{name} is old: run `cargo run -p book -- made`"
        );
    }
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut seen = 0;
    for (name, text) in &pages {
        for link in links(text) {
            if link.starts_with("http") {
                continue;
            }
            seen += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { name } else { file };
            let page = pages.iter().find(|(name, _)| name == target);
            let (_, text) = page.unwrap_or_else(|| panic!("{name} links to {link}: no such page"));
            assert!(
                anchor.is_empty() || has_anchor(text, anchor),
                "{name} links to {link}: no such anchor"
            );
        }
    }
    assert!(seen > 30, "only {seen} links were found");
}

/// The golden trace that a page means by `s07` or `s06.poll`; `nginx` is what its log says.
fn golden(name: &str) -> String {
    if LOOPS.contains(&name) {
        return foreign(name).expect("a log");
    }
    let (step, backend) = name.split_once('.').unwrap_or((name, ""));
    let files = fs::read_dir(root().join("examples/traces")).expect("the golden traces");
    let mut paths = files.map(|file| file.expect("a trace").path());
    let found = paths.find(|path| {
        let file = path.file_name().expect("a name").to_string_lossy();
        // The dot tells poll from epoll.
        let of_backend = backend.is_empty() || file.ends_with(&format!(".{backend}.trace"));
        file.starts_with(&format!("{step}_")) && of_backend
    });
    let path = found.unwrap_or_else(|| panic!("there is no golden trace {name}"));
    fs::read_to_string(path).expect("a trace is text")
}

/// Quotes of a run are held against it by `cargo run -p book -- check`.
#[test]
fn what_chapters_quote_is_in_the_golden_trace() {
    let mut seen = 0;
    for (page, text) in pages() {
        for quote in quotes(&text) {
            if quote.run().is_some() {
                continue;
            }
            if let Some(line) = quote.missing(&lines(&quote.trace)) {
                let trace = &quote.trace;
                panic!("{page} quotes `{line}`, and {trace} does not have it there");
            }
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} quotes were found");
}

/// The golden trace as lines of text.
fn lines(name: &str) -> String {
    listing(&golden(name), usize::MAX).expect("it has words")
}

/// What chapter 9 says of its step.
#[test]
fn await_changes_nothing_in_the_trace() {
    assert_eq!(lines("s09"), lines("s08"));
}

/// What chapter 6 says of its step.
#[test]
fn backends_differ_in_what_they_say_of_the_end_alone() {
    let select = lines("s06.select");
    assert!(!select.contains("peer closed"));
    for backend in ["s06.poll", "s06.epoll"] {
        let other = lines(backend);
        assert_ne!(other, select, "{backend}");
        assert_eq!(other.replace(", peer closed", ""), select, "{backend}");
    }
}

/// What chapter 12 says of an echo: from one sleep to the next, three calls, and six in step 8.
#[test]
fn an_echo_costs_the_calls_that_are_counted() {
    for (step, calls) in [("s08", 6), ("s12", 3)] {
        let lines = lines(step);
        let sleep = |line: &&str| line.starts_with("kernel   asleep");
        let all: Vec<&str> = lines.lines().collect();
        let mut turns = all.split(sleep);
        let echo = turns.find(|turn| turn.iter().any(|line| line.contains("send on fd 1")));
        let echo = echo.expect("there is one");
        let call = |line: &&&str| {
            ["awake:", "recv on", "send on", "arms", "no longer armed"]
                .iter()
                .any(|call| line.contains(call))
        };
        assert_eq!(echo.iter().filter(call).count(), calls, "{echo:#?}");
    }
}

#[test]
fn every_file_that_is_named_exists() {
    let parts = [
        "benches/",
        "examples/",
        "executor/",
        "reactor/",
        "selectors-core/",
    ];
    let mut seen = 0;
    for (name, text) in pages() {
        // Every other piece stands between two backticks.
        for code in text.split('`').skip(1).step_by(2) {
            let path = code.split("::").next().unwrap_or(code);
            let is_path = parts.iter().any(|part| path.starts_with(part));
            if !is_path || path.contains(char::is_whitespace) {
                continue;
            }
            seen += 1;
            assert!(root().join(path).exists(), "{name}: there is no {path}");
        }
    }
    assert!(seen > 30, "only {seen} files were found");
}

/// The style sheet gives a block a hundred columns.
#[test]
fn no_block_is_wider_than_the_page() {
    for (name, text) in pages() {
        let mut in_code = false;
        for line in text.lines() {
            in_code ^= line.starts_with("```");
            let width = line.chars().count();
            assert!(!in_code || width <= 100, "{name}: {width} columns: {line}");
        }
    }
}

#[test]
fn every_page_is_in_the_summary() {
    let pages = pages();
    let summary = &pages.iter().find(|(name, _)| name == "SUMMARY.md");
    let (_, summary) = summary.as_ref().expect("SUMMARY.md");
    for (name, _) in &pages {
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name} is not in SUMMARY.md"
        );
    }
}

#[test]
fn every_question_has_an_answer_a_trace_and_a_test() {
    let text = fs::read_to_string(folder().join("questions.md")).expect("the questions");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 15);
    for row in rows {
        let [_, number, _, answer, trace, test, ..] = row[..] else {
            panic!("a row has five columns: {row:?}");
        };
        assert!(!links(answer).is_empty(), "question {number} has no answer");
        let trace = trace.trim_matches('`');
        let programs = ["examples/steps", "examples/museum"];
        let shown = programs.iter().any(|folder| {
            let files = fs::read_dir(root().join(folder)).expect("programs");
            files.flatten().any(|file| {
                let name = file.file_name();
                name.to_string_lossy().starts_with(&format!("{trace}_"))
            })
        });
        assert!(shown, "question {number}: no program {trace}");
        let (file, function) = test
            .trim_matches('`')
            .rsplit_once("::")
            .unwrap_or_else(|| panic!("question {number}: {test} names no test"));
        let source = fs::read_to_string(root().join(file))
            .unwrap_or_else(|error| panic!("question {number}: {file}: {error}"));
        assert!(
            ["(", "<"]
                .iter()
                .any(|end| source.contains(&format!("fn {function}{end}"))),
            "question {number}: {file} has no test {function}"
        );
    }
}

/// Lines in print: as the file stands, without the tests at its end.
fn printed(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let tests = lines.windows(2).position(|two| {
        let module = two[1].strip_prefix("pub(crate) ").unwrap_or(two[1]);
        let module = module.starts_with("mod ") && module.ends_with('{');
        two[0].starts_with("#[cfg(") && two[0].contains("test") && module
    });
    tests.unwrap_or(lines.len())
}

/// The path through the source, in 66 lines a page.
#[test]
fn the_afternoon_is_sixty_pages_at_most() {
    let text = fs::read_to_string(folder().join("afternoon.md")).expect("the afternoon");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let files: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    assert!(files.len() > 12, "only {files:?}");
    let source = |file: &&str| {
        let path = root().join(file);
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    let lines: usize = files.iter().map(|file| printed(&source(file))).sum();
    let pages = lines.div_ceil(66);
    assert!(pages <= 60, "{pages} pages");
}

#[test]
fn tests_at_the_end_of_a_file_are_not_printed() {
    assert_eq!(printed("a\nb\n"), 2);
    for module in ["mod tests {", "pub(crate) mod tests {"] {
        let tested =
            format!("a\n#[cfg(test)]\nuse b;\n#[cfg(all(test, not(loom)))]\n{module}\n}}\n");
        assert_eq!(printed(&tested), 3);
    }
}
