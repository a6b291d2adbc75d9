//! Makes everything that the pages of the book include.
//!
//! ```text
//! cargo run -p book               # diffs, excerpts, listings and timelines
//! cargo run -p book -- made       # only the diffs, which are kept with the pages
//! mdbook build examples/book      # then; the book is target/book/index.html
//! cargo run -p book -- check      # then: is it whole, and does a browser show it?
//! ```

use std::env;
use std::io;
use std::process::ExitCode;

use book::{check, excerpt, made, timeline};

fn main() -> ExitCode {
    match run(env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("book: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: Option<&str>) -> io::Result<()> {
    match what {
        None | Some("made") => {}
        Some("check") => {
            return match check::whole()? {
                true => Ok(()),
                false => Err(io::Error::other("the book is not whole")),
            };
        }
        Some(_) => {
            let words = "it takes no argument, or `made`, or `check`";
            return Err(io::Error::other(words));
        }
    }
    println!("book: {} diffs were old", made::write()?);
    if what.is_none() {
        excerpt::write()?;
        println!("book: building and recording the programs");
        timeline::write()?;
        println!("book: now run `mdbook build examples/book`, and open target/book/index.html");
    }
    Ok(())
}
