//! Writes results, and reads them again; a checksum refuses what is not as it was written.

use std::io::ErrorKind;

use serde::Serialize;
use serde_json::Value;

use super::{Document, SCHEMA};

/// The JSON of a run, with its checksum.
pub fn text(document: &impl Serialize) -> Result<String, String> {
    let mut value = serde_json::to_value(document).map_err(|error| error.to_string())?;
    value["checksum"] = checksum(&value).into();
    serde_json::to_string_pretty(&value).map_err(|error| error.to_string())
}

/// Of what is said, however it is laid out: a map has its names in their order.
fn checksum(value: &Value) -> u32 {
    crc32fast::hash(value.to_string().as_bytes())
}

pub fn read(path: &str) -> Result<Document, String> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::NotFound => "; is the name right?",
            ErrorKind::IsADirectory => ": give the file in it, such as results.json",
            ErrorKind::InvalidData => ": results are text, in JSON",
            _ => "",
        };
        format!("{path} cannot be read: {error}{hint}")
    })?;
    parse(&text).map_err(|problem| format!("{path} {problem}"))
}

pub fn read_all(paths: &[String]) -> Result<Vec<Document>, String> {
    paths.iter().map(|path| read(path)).collect()
}

/// What a file says; an error continues a sentence that begins with the name of the file.
fn parse(text: &str) -> Result<Document, String> {
    const WRITE: &str = "results are written by --json FILE, and by matrix as results.json";
    if text.trim().is_empty() {
        return Err(
            "is empty: the run that should have written it did not end; run it again".into()
        );
    }
    let mut value: Value = serde_json::from_str(text)
        .map_err(|error| format!("is not JSON, or cut short ({error}); {WRITE}"))?;
    let Some(schema) = value.get("schema").and_then(|schema| schema.as_str()) else {
        return Err(format!("is JSON, but no result of selbench; {WRITE}"));
    };
    if schema != SCHEMA {
        return Err(format!(
            "is of the version {schema}, and this program reads {SCHEMA}: measure again, or \
             read it with the program that wrote it"
        ));
    }
    let told = value.as_object_mut().and_then(|fields| fields.remove("checksum"));
    if told != Some(checksum(&value).into()) {
        return Err("was edited, or damaged: its checksum is another; measure again".into());
    }
    serde_json::from_value(value).map_err(|error| {
        format!(
            "is {SCHEMA}, but not as this program knows it ({error}): a newer program wrote it; \
             measure again, or read it with that one"
        )
    })
}
