//! Makes the book, and everything that its pages include.
//!
//! ```text
//! cargo run -p book               # all of it; the book is target/book/index.html
//! cargo run -p book -- made       # only the diffs, which are kept with the pages
//! cargo run -p book -- pages      # only the pages, with what was recorded before
//! cargo run -p book -- check      # then: is it whole, and does a browser show it?
//! ```

use std::io;
use std::process::ExitCode;

use book::{check, excerpt, made, render, timeline};
use clap::{Parser, Subcommand};
use trace::{complain, console, say};

/// Makes the book; without a command all of it, in target/book.
#[derive(Parser)]
#[command(name = "book", version)]
struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Only the diffs, which are kept with the pages
    Made,
    /// Only the pages, with what was recorded before
    Pages,
    /// Is it whole, and does a browser show it? The status is 1 if not
    Check,
}

fn main() -> ExitCode {
    match run(Args::parse().what).and_then(|()| console::all_said()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain!("book: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: Option<What>) -> io::Result<()> {
    match what {
        None => {
            diffs()?;
            excerpt::write()?;
            timeline::write()?;
            pages()
        }
        Some(What::Made) => diffs(),
        Some(What::Pages) => pages(),
        Some(What::Check) if check::whole()? => Ok(()),
        Some(What::Check) => Err(io::Error::other("the book is not whole")),
    }
}

fn diffs() -> io::Result<()> {
    say!("book: {} diffs were old", made::write()?);
    Ok(())
}

fn pages() -> io::Result<()> {
    let count = render::write(&check::folder())?;
    say!("book: {count} pages; open target/book/index.html");
    Ok(())
}
