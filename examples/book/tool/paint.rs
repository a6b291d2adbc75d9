//! Blocks of code as markup: what a reader looks for first is told apart by colour and by weight.

/// A block in the language that its fence names, as the inside of `<code>`.
#[must_use]
pub fn block(language: &str, code: &str) -> String {
    match language {
        // Lines that only the test of the page needs are hidden.
        "rust" => rust(&shown(code)),
        "rs" => rust(code),
        "diff" => lines(code, |line| match line.as_bytes().first() {
            Some(b'+') => Some("add"),
            Some(b'-') => Some("del"),
            Some(b'@') => Some("place"),
            _ => None,
        }),
        "text" => beside(code),
        _ => escape(code),
    }
}

/// The code without the lines that rustdoc hides: `#` alone, or with a space behind it.
fn shown(code: &str) -> String {
    let hidden = |line: &&str| {
        let line = line.trim();
        line == "#" || line.starts_with("# ")
    };
    let shown = code.lines().filter(|line| !hidden(line));
    shown.map(|line| format!("{line}\n")).collect()
}

/// Text that stays text between tags and in attributes.
///
/// ```
/// assert_eq!(book::paint::escape("a < \"b\" & c"), "a &lt; &quot;b&quot; &amp; c");
/// ```
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(letter),
        }
    }
    out
}

fn span(class: &str, text: &str) -> String {
    format!("<span class=\"{class}\">{}</span>", escape(text))
}

/// Whole lines, each by what it is.
fn lines(code: &str, class: impl Fn(&str) -> Option<&'static str>) -> String {
    code.split_inclusive('\n')
        .map(|line| match class(line) {
            Some(class) => span(class, line),
            None => escape(line),
        })
        .collect()
}

/// A trace, with the page's own words beside it.
fn beside(code: &str) -> String {
    code.split_inclusive('\n')
        .map(|line| match line.find("<- ") {
            Some(at) => escape(&line[..at]) + &span("beside", &line[at..]),
            None => escape(line),
        })
        .collect()
}

/// The words of Rust that have a meaning of their own.
const KEYWORDS: &str = " as async await break const continue dyn else enum extern false fn for if impl \
    in let loop match mod move mut pub ref return self Self static struct super trait true type \
    unsafe use where while ";

/// Rust, with its comments, strings and keywords told apart.
fn rust(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (class, length) = if rest.starts_with("//") {
            (Some("comment"), rest.find('\n').unwrap_or(rest.len()))
        } else if first == '"' {
            (Some("string"), string(rest))
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let word = &rest[..end.unwrap_or(rest.len())];
            let keyword = KEYWORDS.contains(&format!(" {word} "));
            (keyword.then_some("keyword"), word.len())
        } else if rest.starts_with("'\"'") {
            (Some("string"), 3)
        } else {
            (None, first.len_utf8())
        };
        let (text, left) = rest.split_at(length);
        out += &class.map_or_else(|| escape(text), |class| span(class, text));
        rest = left;
    }
    out
}

/// How long the string is that the text begins with.
fn string(text: &str) -> usize {
    let mut escaped = true; // the first quote
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::block;

    #[test]
    fn rust_is_told_apart_and_hidden_lines_are_not_shown() {
        let painted = block("rust", "let a = \"x // \\\" y\"; // why\n# Ok(())\n");
        assert_eq!(
            painted,
            "<span class=\"keyword\">let</span> a = <span class=\"string\">&quot;x // \\&quot; \
             y&quot;</span>; <span class=\"comment\">// why</span>\n"
        );
        assert_eq!(block("rs", "# a\n"), "# a\n");
        assert_eq!(block("rs", "letter"), "letter");
    }

    #[test]
    fn a_diff_is_told_apart_by_lines() {
        let painted = block("diff", " a\n+b<c>\n");
        assert_eq!(painted, " a\n<span class=\"add\">+b&lt;c&gt;\n</span>");
    }

    #[test]
    fn words_beside_a_trace_are_not_the_trace() {
        let painted = block("text", "task 0   poll   <- again\n");
        assert_eq!(
            painted,
            "task 0   poll   <span class=\"beside\">&lt;- again\n</span>"
        );
    }
}
