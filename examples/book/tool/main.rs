//! Makes everything that the pages of the book include.
//!
//! ```text
//! cargo run -p book               # diffs, listings and timelines
//! cargo run -p book -- made       # only the diffs, which are kept with the pages
//! mdbook build examples/book      # then; the book is target/book/index.html
//! ```

use std::env;
use std::io;
use std::process::ExitCode;

use book::{made, timeline};

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
    if !matches!(what, None | Some("made")) {
        return Err(io::Error::other("it takes no argument, or `made`"));
    }
    println!("book: {} diffs were old", made::write()?);
    if what.is_none() {
        println!("book: building and recording the programs");
        timeline::write()?;
        println!("book: now run `mdbook build examples/book`, and open target/book/index.html");
    }
    Ok(())
}
