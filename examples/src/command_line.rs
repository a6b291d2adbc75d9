//! Command lines: clap parses them, and says what is wrong in one line.

use clap::Parser;

use crate::failure::Failure;

/// The arguments of this program. `--help` prints its text and ends the program.
///
/// # Errors
///
/// [`Failure::BadInput`], in one line.
pub fn parse<T: Parser>() -> Result<T, Failure> {
    T::try_parse().map_err(|error| {
        if !error.use_stderr() {
            // Help and version were asked for: no error at all.
            error.exit();
        }
        Failure::BadInput(one_line(&error.to_string()))
    })
}

/// clap speaks in paragraphs: what is wrong, a tip, the usage, a pointer to the help. The first
/// two are worth a line.
fn one_line(paragraphs: &str) -> String {
    let lines = paragraphs.lines().map(str::trim);
    let told = lines.take_while(|line| !line.starts_with("Usage:"));
    let told = told.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let text = told.collect::<Vec<_>>().join("; ");
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    format!("{text} (see --help)")
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn keeps_what_is_wrong_and_the_tip_and_drops_the_rest() {
        let clap = "error: unexpected argument '--adr' found\n\n  tip: a similar argument exists: \
                    '--addr'\n\nUsage: echo --addr <HOST:PORT>\n\nFor more information, try \
                    '--help'.\n";
        assert_eq!(
            one_line(clap),
            "unexpected argument '--adr' found; tip: a similar argument exists: '--addr' \
             (see --help)"
        );
    }
}
