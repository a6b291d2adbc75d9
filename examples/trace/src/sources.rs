//! The source lines that a trace names. Who has written the trace may not be a friend: only what lies
//! below one folder is read, and only regular files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path};

/// A longer file is no source.
const LONGEST: u64 = 4 << 20;

/// Places as the recorder writes them, `file:line`.
#[derive(Default)]
pub(crate) struct Sources(BTreeMap<String, Vec<usize>>);

/// What was found, and what was not.
#[derive(Default)]
pub(crate) struct Found {
    /// `file:line` to the text that stands there and around it.
    pub(crate) lines: BTreeMap<String, String>,
    /// Files that were left out, each with its reason.
    pub(crate) left_out: Vec<(String, String)>,
}

impl Sources {
    pub(crate) fn want(&mut self, place: &str) {
        let Some((file, line)) = place.rsplit_once(':') else {
            return;
        };
        let Ok(line) = line.parse() else { return };
        match self.0.get_mut(file) {
            Some(lines) => lines.push(line),
            None => {
                self.0.insert(file.into(), vec![line]);
            }
        }
    }

    /// Reads below `root`.
    pub(crate) fn read(self, root: &Path) -> Found {
        let mut found = Found::default();
        for (file, mut lines) in self.0 {
            let text = match read(root, &file) {
                Ok(text) => text,
                Err(reason) => {
                    found.left_out.push((file, reason));
                    continue;
                }
            };
            let text: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            lines.dedup();
            for line in lines {
                if (1..=text.len()).contains(&line) {
                    found
                        .lines
                        .insert(format!("{file}:{line}"), around(&text, line));
                } else {
                    let reason = format!("it has no line {line}");
                    found.left_out.push((file.clone(), reason));
                }
            }
        }
        found
    }
}

/// The text of a file, or why it is left out.
fn read(root: &Path, file: &str) -> Result<String, String> {
    let path = Path::new(file);
    // A library outside of the workspace is named by a path of the machine that built it.
    let below = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if file.is_empty() || !below {
        return Err("not below the folder of sources".into());
    }
    let said = |error: std::io::Error| error.to_string();
    let root = root.canonicalize().map_err(said)?;
    // Links are followed first: where they lead counts.
    let path = root.join(path).canonicalize().map_err(said)?;
    if !path.starts_with(&root) {
        return Err("not below the folder of sources".into());
    }
    // Before it is opened: to open a FIFO waits for a writer, and devices do what they like.
    let about = fs::metadata(&path).map_err(said)?;
    if !about.is_file() {
        return Err("not a regular file".into());
    }
    if about.len() > LONGEST {
        return Err(format!("longer than {LONGEST} bytes"));
    }
    fs::read_to_string(path).map_err(said)
}

/// The lines around one that is there, numbered, with a mark at it.
fn around(text: &[&str], line: usize) -> String {
    let from = line.saturating_sub(3);
    let around = &text[from..text.len().min(line + 2)];
    // The panel is narrow: what all of them are indented by is left out.
    let indents = around.iter().filter(|text| !text.trim().is_empty());
    let indent = indents.map(|text| text.len() - text.trim_start().len());
    let indent = indent.min().unwrap_or_default();
    let numbered = (from + 1..).zip(around);
    let shown: Vec<String> = numbered
        .map(|(number, text)| {
            let mark = if number == line { '>' } else { ' ' };
            let text = text.get(indent..).unwrap_or_default();
            format!("{mark}{number:4} {text}")
        })
        .collect();
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_lines_lose_the_indent_that_all_of_them_have() {
        let folder = std::env::temp_dir().join(format!("reactor-html-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let text = "        one\n\n            two\n        three\n";
        fs::write(folder.join("a.rs"), text).expect("it can be written");
        let mut sources = Sources::default();
        sources.want("a.rs:3");
        sources.want("elsewhere.rs:1");
        let found = sources.read(&folder);
        fs::remove_dir_all(folder).expect("ours");
        let shown = "    1 one\n    2 \n>   3     two\n    4 three";
        assert_eq!(
            found.lines,
            BTreeMap::from([("a.rs:3".into(), shown.into())])
        );
        assert_eq!(found.left_out[0].0, "elsewhere.rs");
    }

    #[test]
    fn nothing_but_regular_files_below_the_folder_is_read() {
        let folder = std::env::temp_dir().join(format!("trace-sources-{}", std::process::id()));
        let root = folder.join("root");
        fs::create_dir_all(root.join("folder.rs")).expect("a folder");
        fs::write(folder.join("secret"), "secret\n").expect("it can be written");
        fs::write(root.join("long.rs"), vec![b'\n'; (LONGEST + 1) as usize])
            .expect("it can be written");
        fs::write(root.join("short.rs"), "one\n").expect("it can be written");
        std::os::unix::fs::symlink("../secret", root.join("link.rs")).expect("a link");
        let fifo = nix::unistd::mkfifo(&root.join("fifo.rs"), nix::sys::stat::Mode::S_IRWXU);
        fifo.expect("a pipe with a name");
        let bad = [
            "/etc/hostname:1",
            "../secret:1",
            "folder.rs/../../secret:1",
            "link.rs:1",
            "fifo.rs:1",
            "folder.rs:1",
            "long.rs:1",
            "short.rs:0",
            "short.rs:2",
            "short.rs:18446744073709551615",
            ":1",
            "/dev/zero:1",
            "no.rs:1",
        ];
        let mut sources = Sources::default();
        bad.iter().for_each(|place| sources.want(place));
        let found = sources.read(&root);
        fs::remove_dir_all(folder).expect("ours");
        assert_eq!(found.lines, BTreeMap::new());
        assert_eq!(found.left_out.len(), bad.len(), "{:?}", found.left_out);
    }
}
