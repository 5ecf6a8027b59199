//! Donkeycar tubs. Version 1 (Donkey 2 and 3): a `record_N.json` per frame, images beside them. Version 2 (Donkey 4 and
//! later): `manifest.json`, whose last line names the catalogs (one JSON record a line) and the deleted records; images
//! in `images/`. Format: donkeycar's `parts/datastore.py` and `parts/datastore_v2.py`.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::options::LoadOptions;
use super::super::record::{Record, Source, label};
use super::super::split;
use super::{file_names, no_side_cameras};
use crate::{Error, ErrorKind, Result};

const IMAGE: &str = "cam/image_array";
const ANGLE: &str = "user/angle";

/// N of `record_N.json`.
pub fn record_number(file_name: &str) -> Option<u64> {
    file_name.strip_prefix("record_")?.strip_suffix(".json")?.parse().ok()
}

pub fn read_v1(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    let mut numbered: Vec<(u64, String)> =
        file_names(folder)?.into_iter().filter_map(|name| Some((record_number(&name)?, name))).collect();
    numbered.sort();
    finish(folder, options, numbered.len(), |index, name| {
        let path = folder.join(&numbered[index].1);
        let place = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|error| Error::reading(&path, &error))?;
        record(folder, &parse(&place, &text)?, place, name, options.label_scale)
    })
}

pub fn read_v2(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    let images = folder.join("images");
    let (catalogs, deleted) = read_manifest(&folder.join("manifest.json"))?;
    let mut lines = Vec::new();
    for catalog in catalogs {
        let path = folder.join(&catalog);
        let text = fs::read_to_string(&path).map_err(|error| Error::reading(&path, &error))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = format!("{}:{}", path.display(), number + 1);
            let fields = parse(&place, line)?;
            if !fields.get("_index").and_then(Value::as_u64).is_some_and(|index| deleted.contains(&index)) {
                lines.push((place, fields));
            }
        }
    }
    finish(folder, options, lines.len(), |index, name| {
        let (place, fields) = &lines[index];
        record(&images, fields, place.clone(), name, options.label_scale)
    })
}

/// Names of the catalogs and the indexes of deleted records, from the manifest's last line.
fn read_manifest(path: &Path) -> Result<(Vec<String>, HashSet<u64>)> {
    let text = fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (number, line) = lines.last().ok_or_else(|| Error::new(ErrorKind::BadFile, path.display(), "is empty"))?;
    let place = format!("{}:{}", path.display(), number + 1);
    let manifest = parse(&place, line)?;
    let paths = manifest.get("paths").and_then(Value::as_array).ok_or_else(|| {
        Error::new(ErrorKind::BadFile, &place, "has no `paths`: the last line of a tub's manifest lists its catalogs")
    })?;
    let catalogs = paths.iter().filter_map(Value::as_str).map(String::from).collect();
    let deleted = manifest.get("deleted_indexes").and_then(Value::as_array);
    Ok((catalogs, deleted.into_iter().flatten().filter_map(Value::as_u64).collect()))
}

fn parse(place: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Error::new(ErrorKind::BadRow, place, format!("is not JSON: {error}")))
}

fn record(images: &Path, fields: &Value, place: String, name: &str, scale: f32) -> Result<Record> {
    let missing = |key: &str, what: &str| {
        let keys: Vec<&str> = fields.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let message = format!("has no {what} `{key}`; its fields are {}", keys.join(", "));
        Error::new(ErrorKind::BadRow, &place, message)
    };
    let image = fields.get(IMAGE).and_then(Value::as_str).ok_or_else(|| missing(IMAGE, "image"))?;
    let value = fields.get(name).and_then(Value::as_f64).ok_or_else(|| missing(name, "number"))?;
    let label = label(&place, name, value, scale)?;
    Ok(Record { label, center: Source::File(images.join(image)), sides: None, place })
}

fn finish(
    folder: &Path,
    options: &LoadOptions,
    len: usize,
    record: impl Fn(usize, &str) -> Result<Record>,
) -> Result<(Vec<Record>, String)> {
    if options.side_correction.is_some() {
        return Err(no_side_cameras(folder));
    }
    let name = options.label.as_deref().unwrap_or(ANGLE);
    let chosen = split::derive(folder, len, options.split.as_deref())?;
    Ok((chosen.into_iter().map(|index| record(index, name)).collect::<Result<_>>()?, name.to_string()))
}
