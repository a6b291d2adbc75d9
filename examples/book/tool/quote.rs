//! Lines of a trace that a page quotes, with its words beside them.
//!
//! A block that opens with ` ```text,s07 ` quotes the trace of step 7. Its lines are those of a
//! [listing](crate::listing); what stands behind `<-` is the page's own; `...` says that some were
//! left out. A page that quotes what did not happen is found by the tests.

/// What parts a line from the words beside it.
const BESIDE: &str = "<-";
/// Lines were left out here.
const GAP: &str = "...";

/// One block that quotes a trace.
#[derive(Debug, PartialEq, Eq)]
pub struct Quote {
    /// The golden trace of a step: `s07`, or `s06.poll` where there are several. Or what was recorded
    /// for this build of the book: `b02`, `s11.run`.
    pub trace: String,
    /// Its lines, without the words beside them.
    pub lines: Vec<String>,
}

/// All quotes of a page.
///
/// ```
/// let page = "```text,s04\nkernel   awake: fd 0 READ   <- somebody connects\n```\n";
/// let quotes = book::quote::quotes(page);
/// assert_eq!(quotes[0].trace, "s04");
/// assert_eq!(quotes[0].lines, ["kernel   awake: fd 0 READ"]);
/// ```
#[must_use]
pub fn quotes(page: &str) -> Vec<Quote> {
    let mut quotes = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(trace) = line.strip_prefix("```text,") else {
            continue;
        };
        let block = lines.by_ref().take_while(|line| !line.starts_with("```"));
        quotes.push(Quote {
            trace: trace.to_owned(),
            lines: block.map(own).filter(|line| !line.is_empty()).collect(),
        });
    }
    quotes
}

/// A line without the words beside it.
fn own(line: &str) -> String {
    let own = line.split_once(BESIDE).map_or(line, |(own, _)| own);
    own.trim_end().to_owned()
}

impl Quote {
    /// The program whose run is quoted, unless it is a golden trace.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        let piece = self.trace.starts_with('b').then_some(&*self.trace);
        piece.or(self.trace.strip_suffix(".run"))
    }

    /// What the listing does not have: the first of the lines that stand together in the quote and
    /// do not in the listing, or not behind those that were quoted before.
    #[must_use]
    pub fn missing<'a>(&'a self, listing: &str) -> Option<&'a str> {
        let listing: Vec<&str> = listing.lines().map(str::trim_end).collect();
        let mut from = 0;
        for together in self.lines.split(|line| line == GAP) {
            let Some(first) = together.first() else {
                continue;
            };
            let mut places = listing[from..].windows(together.len());
            let same = |(line, quoted): (&&str, &String)| self.is_same(quoted, line);
            match places.position(|place| place.iter().zip(together).all(same)) {
                Some(place) => from += place + together.len(),
                None => return Some(first),
            }
        }
        None
    }

    /// In a run, which number a timer has depends on how often a read came too early for its bytes:
    /// a busy machine counts further than the page.
    fn is_same(&self, quoted: &str, line: &str) -> bool {
        quoted == line || (self.run().is_some() && any_timer(quoted) == any_timer(line))
    }
}

/// A line with the number of its timer taken out.
fn any_timer(line: &str) -> String {
    let Some((before, number)) = line.split_once("timer ") else {
        return line.to_owned();
    };
    let after = number.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{before}timer {after}")
}

#[cfg(test)]
mod tests {
    use super::{Quote, quotes};

    fn quote(lines: &str) -> Quote {
        let page = format!("words\n```text,s01\n{lines}\n```\n```text\nnot a quote\n```\n");
        let mut quotes = quotes(&page);
        assert_eq!(quotes.len(), 1);
        quotes.remove(0)
    }

    #[test]
    fn lines_stand_together_unless_a_gap_is_shown() {
        let listing = "a\nb\nc\nd\na\n";
        assert_eq!(quote("a  <- why\nb").missing(listing), None);
        assert_eq!(quote("a\nc").missing(listing), Some("a"));
        assert_eq!(quote("a\n...\nc\nd").missing(listing), None);
    }

    #[test]
    fn a_run_may_number_its_timers_otherwise() {
        let mut quote = quote("timer 3 is due\ntask 2 polls");
        let listing = "sets timer 4\ntimer 4 is due\ntask 2 polls\n";
        assert_eq!(quote.missing(listing), Some("timer 3 is due"));
        quote.trace = "s11.run".into();
        assert_eq!(quote.missing(listing), None);
        assert_eq!(
            quote.missing("timer 4 is due\ntask 1 polls\n"),
            Some("timer 3 is due")
        );
    }

    #[test]
    fn the_order_is_that_of_the_listing() {
        assert_eq!(quote("c\n...\nb").missing("a\nb\nc\n"), Some("b"));
        assert_eq!(quote("e").missing("a\nb\n"), Some("e"));
    }
}
