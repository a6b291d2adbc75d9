//! The diffs, which are kept with the pages: `src/made/`.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::change::{diff, program};
use crate::cure::cure;
use crate::table::{self, STEPS, museum, number};

/// One file.
#[derive(Debug)]
pub struct Made {
    /// Where it is kept.
    pub path: PathBuf,
    /// What it should hold.
    pub text: String,
}

/// All of them, as they should be today.
///
/// # Errors
///
/// What cannot be read.
pub fn all() -> io::Result<Vec<Made>> {
    let folder = table::pages().join("made");
    let made = |name: String, text| Made {
        path: folder.join(name),
        text,
    };
    let mut files = Vec::new();
    for pair in STEPS.windows(2) {
        let read =
            |name: &str| Ok::<_, io::Error>(program(&fs::read_to_string(table::step(name))?));
        let (before, after) = (read(pair[0])?, read(pair[1])?);
        let names = [pair[0], pair[1]].map(|name| format!("{name}.rs"));
        let text = diff((&names[0], &before), (&names[1], &after));
        files.push(made(format!("{}.diff", number(pair[1])), text));
    }
    for name in museum()? {
        let text = cure(&name, &fs::read_to_string(table::piece(&name))?);
        files.push(made(format!("{}.diff", number(&name)), text));
    }
    Ok(files)
}

/// Writes those that differ from what is kept; the answer is their number.
///
/// # Errors
///
/// What cannot be written.
pub fn write() -> io::Result<usize> {
    fs::create_dir_all(table::pages().join("made"))?;
    let mut written = 0;
    for file in all()? {
        if fs::read_to_string(&file.path).ok().as_ref() != Some(&file.text) {
            fs::write(&file.path, &file.text)?;
            written += 1;
        }
    }
    Ok(written)
}
