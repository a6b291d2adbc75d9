//! Results as files: JSON, CSV, .hgrm, HTML.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{Shown, page};
use crate::method::{Document, histogram};

#[derive(Clone, Default)]
pub struct Files {
    pub json: Option<PathBuf>,
    pub csv: Option<PathBuf>,
    pub hgrm: Option<PathBuf>,
    pub html: Option<PathBuf>,
}

pub fn write(document: &Document, files: &Files, all: &[Shown]) -> Result<(), String> {
    if let Some(path) = &files.json {
        save(path, &serde_json::to_string_pretty(document).map_err(|error| error.to_string())?)?;
    }
    if let Some(path) = &files.csv {
        save(path, &csv(document))?;
    }
    if let Some(folder) = &files.hgrm {
        hgrm(document, folder)?;
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
        let flags: Vec<&str> = slice.flags.iter().map(|flag| flag.reason.code()).collect();
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

/// One file for each subject and point, of all its valid slices together.
fn hgrm(document: &Document, folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut pooled = BTreeMap::new();
    for slice in document.slices.iter().filter(|slice| slice.valid()) {
        for (name, text) in &slice.histograms {
            let key = format!("{} {} {name}", slice.spec.point(), slice.spec.subject);
            let more = histogram::decode(text)?;
            let all = pooled.entry(key).or_insert_with(histogram::new);
            all.add(more).map_err(|error| format!("{error:?}"))?;
        }
    }
    let legal = |one: char| {
        if one.is_ascii_alphanumeric() || one == '-' { one } else { '_' }
    };
    for (key, all) in pooled {
        let name: String = key.chars().map(legal).collect();
        save(&folder.join(format!("{name}.hgrm")), &histogram::hgrm(&all))?;
    }
    Ok(())
}
