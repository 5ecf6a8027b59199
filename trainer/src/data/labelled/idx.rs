//! MNIST's layout: `SPLIT-images-idx3-ubyte` and `SPLIT-labels-idx1-ubyte`.
//!
//! An IDX file begins with two zero bytes, the element type (8 for bytes) and the number of dimensions, then each dimension as a big-endian
//! 32-bit number, then the elements in row-major order (LeCun, Cortes, Burges: "The MNIST database of handwritten digits").
//! Pictures have three dimensions (count, height, width) or four (channels last); `images.idx3-ubyte`, with a dot, is the same.

use std::path::{Path, PathBuf};

use super::{ReadOptions, classes, no_split};
use crate::data::classes::Classes;
use crate::data::dataset::{Content, Dataset};
use crate::data::encoding::Encoding;
use crate::data::formats::file_names;
use crate::data::samples::Target;
use crate::data::split;
use crate::data::warp::Pictures;
use crate::{Error, ErrorKind, Result};

/// Split of the images file of this name.
pub fn split_of(name: &str) -> Option<&str> {
    let (split, rest) = name.split_once("images")?;
    let rest = rest.trim_start_matches(['-', '.', '_']);
    (rest.starts_with("idx") && rest.ends_with("ubyte")).then(|| split.trim_end_matches(['-', '.', '_']))
}

/// Whether these are the names of such files.
pub fn is_idx(names: &[String]) -> bool {
    names.iter().any(|name| split_of(name).is_some())
}

pub fn read(folder: &Path, options: &ReadOptions) -> Result<Dataset> {
    let names = file_names(folder)?;
    let images: Vec<&String> = names.iter().filter(|name| split_of(name).is_some()).collect();
    let splits: Vec<String> = images.iter().filter_map(|name| split_of(name)).map(String::from).collect();
    let own = |wanted: &str| images.iter().filter(|name| split_of(name) == Some(wanted)).copied().collect::<Vec<_>>();
    let (parts, derived) = match options.split.as_deref() {
        Some(wanted) if splits.iter().any(|split| split == wanted) => (own(wanted), None),
        // One set of files without a name of a split: it is parted here.
        Some(wanted) if splits.iter().all(String::is_empty) => (images, Some(wanted)),
        Some(wanted) => return Err(no_split(folder, wanted, &splits)),
        None => (images, None),
    };
    let mut whole: Option<(Pictures, Vec<u8>)> = None;
    for name in parts {
        let (pictures, labels) = read_pair(folder, name)?;
        match &mut whole {
            None => whole = Some((pictures, labels)),
            Some((all, all_labels)) if all.shape == pictures.shape => {
                all.pixels.extend(pictures.pixels);
                all_labels.extend(labels);
            }
            Some((all, _)) => {
                let message = format!("has pictures of {:?}, the files before of {:?}", pictures.shape, all.shape);
                return Err(Error::new(ErrorKind::BadFile, folder.join(name).display(), message));
            }
        }
    }
    let Some((pictures, labels)) = whole else { return Err(no_split(folder, "", &splits)) };
    let (pictures, labels) = match derived {
        Some(split) => part(folder, split, &pictures, &labels)?,
        None => (pictures, labels),
    };
    finish(folder, options, pictures, labels)
}

fn finish(folder: &Path, options: &ReadOptions, pictures: Pictures, labels: Vec<u8>) -> Result<Dataset> {
    let highest = labels.iter().copied().max().map_or(0, usize::from);
    let classes = classes(folder, options, || Classes::numbered(highest + 1))?;
    if highest >= classes.len() {
        let place = format!(
            "{}: label {}",
            folder.display(),
            labels.iter().position(|&l| usize::from(l) == highest).unwrap_or(0)
        );
        let message = format!("is {highest}, the training data has classes 0 to {}", classes.len() - 1);
        return Err(Error::new(ErrorKind::BadRow, place, message));
    }
    Ok(Dataset {
        content: Content::Pictures(pictures),
        target: Target::Class(classes.len()),
        targets: labels.into_iter().map(f32::from).collect(),
        encoding: Encoding { classes, ..Encoding::default() },
    })
}

fn part(folder: &Path, split: &str, pictures: &Pictures, labels: &[u8]) -> Result<(Pictures, Vec<u8>)> {
    let size: usize = pictures.shape.iter().product();
    let chosen = split::deal(folder, labels.len(), Some(split))?;
    let pixels = chosen.iter().flat_map(|&index| &pictures.pixels[index * size..(index + 1) * size]).copied().collect();
    Ok((Pictures { shape: pictures.shape, pixels }, chosen.iter().map(|&index| labels[index]).collect()))
}

fn read_pair(folder: &Path, images: &str) -> Result<(Pictures, Vec<u8>)> {
    let path = folder.join(images);
    let labels_path = labels_path(folder, images)?;
    let (shape, pixels) = read_file(&path)?;
    let (labels_shape, labels) = read_file(&labels_path)?;
    let wrong = |path: &Path, message: String| Err(Error::new(ErrorKind::BadFile, path.display(), message));
    let &([count, height, width] | [count, height, width, _]) = shape.as_slice() else {
        return wrong(&path, format!("has dimensions {shape:?}; pictures have count, height, width"));
    };
    let channels = shape.get(3).copied().unwrap_or(1);
    if labels_shape != [count] {
        return wrong(&labels_path, format!("has dimensions {labels_shape:?}, {images} holds {count} pictures"));
    }
    if pixels.is_empty() {
        return wrong(&path, "holds no pictures".into());
    }
    Ok((Pictures { shape: [height, width, channels], pixels }, labels))
}

/// The labels file that belongs to an images file: the same name with `labels` and one dimension.
fn labels_path(folder: &Path, images: &str) -> Result<PathBuf> {
    let stem = images.split("images").next().unwrap_or_default();
    let fits = |name: &&String| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with("labels"));
    let names = file_names(folder)?;
    names.iter().find(fits).map(|name| folder.join(name)).ok_or_else(|| {
        let place = folder.join(images);
        Error::new(
            ErrorKind::MissingFile,
            place.display(),
            format!("has no labels: {stem}labels-idx1-ubyte is not beside it"),
        )
    })
}

fn read_file(path: &Path) -> Result<(Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    parse(&bytes).map_err(|message| Error::new(ErrorKind::BadFile, path.display(), message))
}

/// Dimensions and elements of an IDX file of bytes.
///
/// # Errors
/// Says in words what is wrong with the bytes.
pub fn parse(bytes: &[u8]) -> std::result::Result<(Vec<usize>, Vec<u8>), String> {
    let (dimensions, mut rest) = match bytes {
        [0x1f, 0x8b, ..] => return Err("is compressed; unpack it with gunzip".into()),
        [0, 0, 8, dimensions, rest @ ..] => (usize::from(*dimensions), rest),
        [0, 0, kind, _, ..] => return Err(format!("has elements of type {kind:#04x}; bytes (0x08) can be read")),
        _ => return Err("is no IDX file: it does not begin with two zeros, type and number of dimensions".into()),
    };
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        let (length, after) = rest.split_first_chunk::<4>().ok_or("is cut off within its dimensions")?;
        shape.push(u32::from_be_bytes(*length) as usize);
        rest = after;
    }
    let wanted = shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
    match wanted {
        Some(wanted) if wanted == rest.len() => Ok((shape, rest.to_vec())),
        Some(wanted) if wanted < rest.len() => {
            Err(format!("has {} bytes more than its dimensions say", rest.len() - wanted))
        }
        Some(wanted) => Err(format!("is cut off: {} of {wanted} bytes are there", rest.len())),
        None => Err(format!("has impossible dimensions {shape:?}")),
    }
}
