#![doc = include_str!("coming_from.md")]
#![allow(
    clippy::test_attr_in_doctest,
    reason = "it shows how a test is written; that it compiles is enough"
)]

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("coming_from.md");

    /// The code of a right column: between backticks, not in a link.
    fn code(cell: &str) -> impl Iterator<Item = String> + '_ {
        let spans = cell.split('`').skip(1).step_by(2);
        spans.map(|span| span.replace("\\|", "|"))
    }

    /// Words that are no piece of a program: names of crates' features, types and examples.
    fn is_name(code: &str) -> bool {
        !code.contains(['(', '{', '!', '&'])
    }

    #[test]
    fn each_row_of_each_table_stands_in_the_program_below_it() {
        let mut tables = BTreeSet::new();
        for section in PAGE.split("\n# ").skip(1) {
            let Some((table, rest)) = section.split_once("\n```\n") else {
                continue;
            };
            let title = section.lines().next().unwrap_or_default();
            if !table.contains("\n|---|---|\n") {
                continue;
            }
            tables.insert(title);
            let program = rest.split("\n```").next().unwrap_or_default();
            let rows = table.lines().filter(|line| line.starts_with("| "));
            for row in rows.skip(1) {
                let cells = row.replace("\\|", "\u{0}");
                let cells: Vec<_> = cells.split('|').collect();
                assert_eq!(cells.len(), 4, "{row}");
                let here = cells[2].replace('\u{0}', "|");
                // A link leads to what is documented, and rustdoc looks after it.
                let pieces = code(&here).filter(|piece| !is_name(piece));
                let pieces: Vec<_> = pieces.collect();
                // What is elsewhere is an example, which is run by the tests of the examples.
                let is_elsewhere = here.starts_with(" none") || here.contains("example");
                assert!(!pieces.is_empty() || is_elsewhere, "no code: {row}");
                for piece in pieces {
                    assert!(program.contains(&piece), "{title}: {piece}");
                }
            }
        }
        let expected = ["asyncio", "monoio, compio and glommio", "smol", "tokio"];
        assert!(tables.iter().eq(expected.iter()), "{tables:?}");
    }

    #[test]
    fn each_row_says_something() {
        let rows = PAGE.lines().filter(|line| line.starts_with("| "));
        assert!(rows.clone().count() > 50);
        for row in rows {
            assert!(!row.contains("|  |"), "{row}");
        }
    }
}
