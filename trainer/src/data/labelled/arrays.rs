//! NumPy arrays: `x.npy` (a sample a row of the first axis) and `y.npy` (a class number or one or more real numbers a row), as
//! `SPLIT/x.npy`, `SPLIT-x.npy`, or one pair for all, which is parted here. Bytes are pixels, everything else numbers as they are.

use std::path::{Path, PathBuf};

use super::{ReadOptions, classes, no_split};
use crate::data::classes::Classes;
use crate::data::dataset::{Content, Dataset, Numbers};
use crate::data::encoding::Encoding;
use crate::data::formats::file_names;
use crate::data::npy::{self, Array};
use crate::data::samples::Target;
use crate::data::split;
use crate::data::warp::Pictures;
use crate::{Error, ErrorKind, Result};

/// Most classes that integers may number.
const MOST_CLASSES: usize = 1 << 16;

/// Whether `folder`, whose files have these names, holds such arrays.
pub fn is_arrays(folder: &Path, names: &[String]) -> bool {
    names.iter().any(|name| name == "x.npy" || name.ends_with("-x.npy") || folder.join(name).join("x.npy").is_file())
}

pub fn read(folder: &Path, options: &ReadOptions) -> Result<Dataset> {
    let (paths, derived) = find(folder, options.split.as_deref())?;
    let (x, y) = (npy::read(&paths.0)?, npy::read(&paths.1)?);
    let (count, answers) = (samples(&paths.0, &x)?, samples(&paths.1, &y)?);
    if count != answers {
        let message = format!("has {answers} rows, {} has {count}; they need one for each sample", paths.0.display());
        return Err(Error::new(ErrorKind::BadFile, paths.1.display(), message));
    }
    let rows = split::deal(folder, count, derived)?;
    let (target, targets, classes) = targets(&paths.1, &y, options)?;
    let values = target.values();
    let targets = rows.iter().flat_map(|&row| &targets[row * values..(row + 1) * values]).copied().collect();
    let encoding = Encoding { classes, ..Encoding::default() };
    Ok(Dataset { content: content(&paths.0, &x, &rows)?, target, targets, encoding })
}

/// How many samples an array has.
fn samples(path: &Path, array: &Array) -> Result<usize> {
    let message = match array.shape() {
        [] => "is a single number; it needs an axis of samples".to_string(),
        shape if shape.contains(&0) => format!("has shape {shape:?}, which holds nothing"),
        [count, ..] => return Ok(*count),
    };
    Err(Error::new(ErrorKind::BadFile, path.display(), message))
}

/// Paths of x and y, and the split that is still to be made of them.
fn find<'s>(folder: &Path, split: Option<&'s str>) -> Result<((PathBuf, PathBuf), Option<&'s str>)> {
    let names = file_names(folder)?;
    let pair = |prefix: &str| (folder.join(format!("{prefix}x.npy")), folder.join(format!("{prefix}y.npy")));
    let prefixes = split.map(|split| [format!("{split}/"), format!("{split}-")]).into_iter().flatten();
    if let Some(prefix) = prefixes.into_iter().find(|prefix| pair(prefix).0.is_file()) {
        return Ok((pair(&prefix), None));
    }
    if folder.join("x.npy").is_file() {
        return Ok((pair(""), split));
    }
    let inside = names.iter().filter(|name| folder.join(name).join("x.npy").is_file()).cloned();
    let beside = names.iter().filter_map(|name| name.strip_suffix("-x.npy")).map(String::from);
    let splits: Vec<String> = inside.chain(beside).collect();
    match split {
        Some(split) => Err(no_split(folder, split, &splits)),
        None => {
            let message = format!("has splits {}; name one of them", splits.join(", "));
            Err(Error::new(ErrorKind::Usage, folder.display(), message))
        }
    }
}

fn content(path: &Path, x: &Array, rows: &[usize]) -> Result<Content> {
    let shape = x.shape()[1..].to_vec();
    if shape.is_empty() {
        let message =
            format!("has shape {:?}; it needs samples along the first axis and their values along others", x.shape());
        return Err(Error::new(ErrorKind::BadFile, path.display(), message));
    }
    let size: usize = shape.iter().product();
    if let Array::U8(bytes) = x {
        let picture = match *shape.as_slice() {
            [height, width] => Some([height, width, 1]),
            [height, width, channels] => Some([height, width, channels]),
            _ => None,
        };
        if let (Some(shape), Some(bytes)) = (picture, bytes.as_slice()) {
            let pixels = rows.iter().flat_map(|&row| &bytes[row * size..(row + 1) * size]).copied().collect();
            return Ok(Content::Pictures(Pictures { shape, pixels }));
        }
    }
    let all = floats(x);
    let values: Vec<f32> = rows.iter().flat_map(|&row| &all[row * size..(row + 1) * size]).copied().collect();
    finite(path, &all, size)?;
    Ok(Content::Numbers(Numbers { shape, values }))
}

fn targets(path: &Path, y: &Array, options: &ReadOptions) -> Result<(Target, Vec<f32>, Classes)> {
    let wide = y.shape()[1..].iter().product::<usize>();
    let values = floats(y);
    if matches!(y, Array::F32(_)) {
        finite(path, &values, wide.max(1))?;
        return Ok((Target::Numbers(wide), values, Classes::default()));
    }
    if wide != 1 {
        let message = format!("has shape {:?}; classes are one integer a sample, numbers are float32", y.shape());
        return Err(Error::new(ErrorKind::BadFile, path.display(), message));
    }
    let below = |most: usize| match values.iter().position(|&value| value < 0.0 || value as usize >= most) {
        Some(row) => {
            let message = format!("row {row} is {}; classes are whole numbers from 0 to below {most}", values[row]);
            Err(Error::new(ErrorKind::BadFile, path.display(), message))
        }
        None => Ok(()),
    };
    below(MOST_CLASSES)?;
    let highest = values.iter().fold(0f32, |a, &b| a.max(b)) as usize;
    let classes = classes(path, options, || Classes::numbered(highest + 1))?;
    below(classes.len())?;
    Ok((Target::Class(classes.len()), values, classes))
}

fn floats(array: &Array) -> Vec<f32> {
    match array {
        Array::F32(values) => values.iter().copied().collect(),
        Array::I8(values) => values.iter().map(|&value| f32::from(value)).collect(),
        Array::U8(values) => values.iter().map(|&value| f32::from(value)).collect(),
        Array::I16(values) => values.iter().map(|&value| f32::from(value)).collect(),
        Array::I32(values) => values.iter().map(|&value| value as f32).collect(),
    }
}

/// Refuses values that are not finite, by the sample and the value within it.
fn finite(path: &Path, values: &[f32], size: usize) -> Result<()> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let message = format!("sample {}, value {} is {}; it must be finite", at / size, at % size, values[at]);
            Err(Error::new(ErrorKind::NotFinite, path.display(), message))
        }
    }
}
