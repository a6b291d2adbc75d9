//! Results as files: JSON, CSV, .hgrm, HTML.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use benches::selbench::histogram;
use benches::selbench::schema::Document;

use crate::arguments::Common;
use crate::report;

/// Writes what the command line asks for.
pub(crate) fn write(document: &Document, common: &Common) -> Result<(), String> {
    if let Some(path) = &common.json {
        json(document, path)?;
    }
    if let Some(path) = &common.csv {
        save(path, &csv(document))?;
    }
    if let Some(folder) = &common.hgrm {
        hgrm(document, folder)?;
    }
    if let Some(path) = &common.html {
        save(path, &report::draw(std::slice::from_ref(document)))?;
    }
    Ok(())
}

/// Writes JSON v1.
pub(crate) fn json(document: &Document, path: &Path) -> Result<(), String> {
    let text = serde_json::to_string_pretty(document).map_err(|error| error.to_string())?;
    save(path, &text)
}

/// Writes a file.
pub(crate) fn save(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text)
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    eprintln!("written: {}", path.display());
    Ok(())
}

/// One line a slice; the columns are all metrics that any slice has.
pub(crate) fn csv(document: &Document) -> String {
    let metrics: Vec<&String> = {
        let mut all: Vec<_> = document
            .slices
            .iter()
            .flat_map(|slice| slice.metrics.keys())
            .collect();
        all.sort();
        all.dedup();
        all
    };
    let mut text = "workload,subject,placement,block,point,valid,flags".to_owned();
    for metric in &metrics {
        text += &format!(",{metric}");
    }
    text += "\n";
    for slice in &document.slices {
        let spec = &slice.spec;
        let flags: Vec<&str> = slice.flags.iter().map(|flag| flag.reason.code()).collect();
        text += &format!(
            "{},{},{},{},{},{},{}",
            spec.workload.name(),
            spec.subject,
            spec.placement.name(),
            spec.block,
            spec.point(),
            slice.valid(),
            flags.join(" ")
        );
        for metric in &metrics {
            let value = slice.metrics.get(*metric);
            text += &value.map_or_else(|| ",".to_owned(), |value| format!(",{value}"));
        }
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
    for (key, all) in pooled {
        let legal = |letter: char| {
            if letter.is_ascii_alphanumeric() || letter == '-' {
                letter
            } else {
                '_'
            }
        };
        let name: String = key.chars().map(legal).collect();
        save(&folder.join(format!("{name}.hgrm")), &histogram::hgrm(&all))?;
    }
    Ok(())
}
