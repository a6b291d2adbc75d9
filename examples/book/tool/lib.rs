//! What the pages of the book show beside their prose, made from the programs that they are about:
//!
//! * [`change`]: what changes from one step of the ladder to the next, as a diff;
//! * [`cure`]: the fix of each museum piece, as a diff;
//! * [`excerpt`]: what a page shows of a program;
//! * [`listing`]: a recorded trace as lines of text;
//! * [`recording`] and [`timeline`]: a program is run and recorded, and becomes a page to step
//!   through;
//! * [`quote`]: what a page quotes of a trace;
//! * [`summary`], [`page`](mod@page), [`paint`] and [`render`]: the pages, made of Markdown;
//! * [`built`], [`browser`] and [`check`]: what must be true of the book once it is built.
//!
//! `cargo run -p book` makes all that pages include, and the book of it, and `cargo run -p book --
//! check` looks at what came out. Diffs are kept with the pages, and a test holds that they are
//! what would be made today; programs are recorded anew for each build of the book.

#![forbid(unsafe_code)]

pub mod browser;
pub mod built;
pub mod change;
pub mod check;
pub mod cure;
pub mod excerpt;
pub mod listing;
pub mod made;
pub mod page;
#[cfg(doctest)]
mod pages;
pub mod paint;
pub mod quote;
pub mod recording;
pub mod render;
pub mod summary;
pub mod table;
pub mod timeline;
