//! Command lines: clap parses them, and says what is wrong in one line.

use std::process;

use clap::{Arg, ArgMatches, Command, Parser};
use executor::Backend;
use trace::complain;

use crate::address::Address;
use crate::failure::Failure;

/// The arguments of this program. `--help` prints its text and ends the program.
///
/// # Errors
///
/// [`Failure::BadInput`], in one line.
pub fn parse<T: Parser>() -> Result<T, Failure> {
    T::try_parse().map_err(|error| wrong(&error))
}

/// The arguments of a program that needs few: each has a name, and a value for where it is not given.
/// Those that are called `ADDRESS`, `BACKEND` and `MILLISECONDS` have to be that. `--help` prints `about`
/// and the names, and ends the program; so does one line about what is wrong, with status 2.
pub fn arguments<const N: usize>(
    about: &'static str,
    named: [(&'static str, &'static str); N],
) -> [String; N] {
    let args = named.map(|(name, value)| {
        let arg = Arg::new(name).default_value(value);
        arg.value_parser(move |text: &str| valid(name, text))
    });
    let matches = matches(about, args);
    named.map(|(name, value)| {
        let given = matches.get_one::<String>(name);
        given.cloned().unwrap_or_else(|| value.to_owned())
    })
}

/// Whether a piece of the museum is asked for its cure; `--help` and what is wrong as in [`arguments`].
pub fn fixed() -> bool {
    let version = Arg::new("VERSION").value_parser(["fixed"]);
    let version = version.help("Show the cure, not the bug");
    let about = "A piece of the museum of bugs (examples/museum): the head of its source says what it shows";
    matches(about, [version]).contains_id("VERSION")
}

fn matches<const N: usize>(about: &'static str, args: [Arg; N]) -> ArgMatches {
    let command = Command::new("example").about(about).args(args);
    command.try_get_matches().unwrap_or_else(|error| {
        complain!("error: {}", wrong(&error));
        process::exit(2)
    })
}

fn valid(name: &str, text: &str) -> Result<String, String> {
    match name {
        "ADDRESS" => text.parse::<Address>().map(drop)?,
        "BACKEND" => Backend::from_name(text)
            .map(drop)
            .map_err(|error| error.to_string())?,
        "MILLISECONDS" => text
            .parse::<u64>()
            .map(drop)
            .map_err(|error| error.to_string())?,
        _ => {}
    }
    Ok(text.to_owned())
}

/// What is wrong; where help or the version was asked for, that is printed, and the program ends.
fn wrong(error: &clap::Error) -> Failure {
    if !error.use_stderr() {
        error.exit();
    }
    Failure::BadInput(one_line(&error.to_string()))
}

/// clap speaks in paragraphs: what is wrong, a tip, the usage, a pointer to the help. The first
/// two are worth a line.
fn one_line(paragraphs: &str) -> String {
    let lines = paragraphs.lines().map(str::trim);
    let told = lines.take_while(|line| !line.starts_with("Usage:"));
    let told = told.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    // What follows a colon is on the lines after it.
    let text = told.collect::<Vec<_>>().join("; ").replace(":; ", ": ");
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
