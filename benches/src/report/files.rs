//! Results as files: JSON, CSV, HTML.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;

use super::{Shown, page};
use crate::method::{Document, results};
use crate::terminal;

#[derive(Args, Clone, Default)]
pub struct Files {
    /// Writes the results as JSON
    #[arg(long, value_name = "FILE", value_parser = new_file)]
    pub json: Option<PathBuf>,
    /// Writes one line of CSV for each slice
    #[arg(long, value_name = "FILE", value_parser = new_file)]
    pub csv: Option<PathBuf>,
    /// Writes the report
    #[arg(long, value_name = "FILE", value_parser = new_file)]
    pub html: Option<PathBuf>,
}

/// A file that can be written when all is measured: better refused now than then.
pub fn new_file(path: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if path.is_dir() {
        return Err("this is a folder: give the name of a file".to_owned());
    }
    match folder {
        Some(folder) if !folder.is_dir() => {
            Err(format!("there is no folder {}: make it first", folder.display()))
        }
        _ => Ok(path),
    }
}

/// Each of them, whatever becomes of the others.
pub fn write(document: &Document, files: &Files, all: &[Shown]) {
    if let Some(path) = &files.json {
        save(path, results::text(document).map_err(io::Error::other));
    }
    if let Some(path) = &files.csv {
        save(path, Ok(csv(document)));
    }
    if let Some(path) = &files.html {
        save(path, Ok(page::draw(std::slice::from_ref(document), all)));
    }
}

/// Writes a file, and says so, or why it cannot be written.
pub fn save(path: &Path, text: io::Result<String>) {
    if terminal::wrote(path.display(), text.and_then(|text| fs::write(path, text))) {
        terminal::tell(format_args!("written: {}", path.display()));
    }
}

/// One line a slice; the columns are all metrics that any slice has.
fn csv(document: &Document) -> String {
    let metrics: BTreeSet<&String> =
        document.slices.iter().flat_map(|slice| slice.metrics.keys()).collect();
    let mut text = "workload,subject,placement,block,point,valid,flags".to_owned();
    text.extend(metrics.iter().map(|metric| format!(",{metric}")));
    text += "\n";
    for slice in &document.slices {
        let spec = &slice.spec;
        let flags: Vec<String> = slice.flags.iter().map(|flag| flag.reason.code()).collect();
        let (placement, point) = (spec.placement.name(), spec.point());
        let (valid, flags) = (slice.valid(), flags.join(" "));
        let (workload, subject, block) = (&spec.workload, &spec.subject, spec.block);
        text += &format!("{workload},{subject},{placement},{block},{point},{valid},{flags}");
        let value = |metric| slice.metrics.get(metric).map_or(String::new(), f64::to_string);
        text.extend(metrics.iter().map(|metric| format!(",{}", value(*metric))));
        text += "\n";
    }
    text
}
