//! Results as files: JSON, CSV, HTML.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Shown, page};
use crate::method::Document;

#[derive(Clone, Default)]
pub struct Files {
    pub json: Option<PathBuf>,
    pub csv: Option<PathBuf>,
    pub html: Option<PathBuf>,
}

pub fn write(document: &Document, files: &Files, all: &[Shown]) -> Result<(), String> {
    if let Some(path) = &files.json {
        save(path, &serde_json::to_string_pretty(document).map_err(|error| error.to_string())?)?;
    }
    if let Some(path) = &files.csv {
        save(path, &csv(document))?;
    }
    if let Some(path) = &files.html {
        save(path, &page::draw(std::slice::from_ref(document), all))?;
    }
    Ok(())
}

pub fn save(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text)
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    eprintln!("written: {}", path.display());
    Ok(())
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
