//! The reading order: what `SUMMARY.md` lists, from the first page to the last.

/// One page of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the list calls it.
    pub title: String,
    /// The name of its file, without its ending: `ch07`.
    pub name: String,
    /// Its place among the chapters of the ladder; none for what stands before or behind them.
    pub number: Option<usize>,
}

/// The pages in the order in which they are read.
///
/// ```
/// let order = book::summary::order("# Summary\n\n[Front](index.md)\n\n- [A waker](ch07.md)\n");
/// assert_eq!(order[0].name, "index");
/// assert_eq!((order[1].title.as_str(), order[1].number), ("A waker", Some(1)));
/// ```
#[must_use]
pub fn order(summary: &str) -> Vec<Entry> {
    let mut chapters = 0;
    let entry = |line: &str| {
        let chapter = line.strip_prefix("- ");
        let (title, rest) = chapter
            .unwrap_or(line)
            .strip_prefix('[')?
            .split_once("](")?;
        chapters += usize::from(chapter.is_some());
        Some(Entry {
            title: title.to_owned(),
            name: rest.strip_suffix(".md)")?.to_owned(),
            number: chapter.map(|_| chapters),
        })
    };
    summary.lines().filter_map(entry).collect()
}
