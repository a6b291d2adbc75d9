//! The command line that the examples share.

use selectors_core::Backend;

/// What an example was asked for.
pub(crate) struct Arguments {
    /// `--selector NAME`, or the variable `SELECTOR`, or the default.
    pub(crate) backend: Backend,
    /// `--self-test`: play both sides, check, and stop.
    pub(crate) self_test: bool,
    /// What is left, e.g. an address.
    pub(crate) rest: Vec<String>,
}

/// Reads the command line. What cannot be understood ends the program with status 2.
pub(crate) fn parse(usage: &str) -> Arguments {
    let mut name = std::env::var("SELECTOR").unwrap_or_else(|_| "default".to_owned());
    let mut self_test = false;
    let mut rest = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--selector" => match arguments.next() {
                Some(value) => name = value,
                None => refuse("--selector needs a name", usage),
            },
            "--self-test" => self_test = true,
            "--help" | "-h" => {
                println!("{usage}");
                std::process::exit(0);
            }
            option if option.starts_with('-') => refuse(&format!("unknown option {option}"), usage),
            _ => rest.push(argument),
        }
    }
    match name.parse() {
        Ok(backend) => Arguments {
            backend,
            self_test,
            rest,
        },
        Err(error) => refuse(&format!("{error}"), usage),
    }
}

fn refuse(reason: &str, usage: &str) -> ! {
    eprintln!("{reason}\n{usage}");
    std::process::exit(2);
}
