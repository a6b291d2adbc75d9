//! Makes the book, and everything that its pages include.
//!
//! ```text
//! cargo run -p book               # all of it; the book is target/book/index.html
//! cargo run -p book -- made       # only the diffs, which are kept with the pages
//! cargo run -p book -- pages      # only the pages, with what was recorded before
//! cargo run -p book -- check      # then: is it whole, and does a browser show it?
//! ```

use std::env;
use std::io;
use std::process::ExitCode;

use book::{check, excerpt, made, render, timeline};

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
        None => {
            diffs()?;
            excerpt::write()?;
            timeline::write()?;
            pages()
        }
        Some("made") => diffs(),
        Some("pages") => pages(),
        Some("check") if check::whole()? => Ok(()),
        Some("check") => Err(io::Error::other("the book is not whole")),
        Some(_) => {
            let words = "it takes no argument, or `made`, `pages` or `check`";
            Err(io::Error::other(words))
        }
    }
}

fn diffs() -> io::Result<()> {
    println!("book: {} diffs were old", made::write()?);
    Ok(())
}

fn pages() -> io::Result<()> {
    let count = render::write(&check::folder())?;
    println!("book: {count} pages; open target/book/index.html");
    Ok(())
}
