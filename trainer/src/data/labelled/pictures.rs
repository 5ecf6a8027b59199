//! Pictures sorted into a folder for each class, decoded and resized by the code that the boards run.

use std::path::Path;

use ackermann_firmware::preprocess::{Preprocess, Size};

use super::folders::{Kind, Labelled, list};
use super::{ReadOptions, classes, numbers};
use crate::data::classes::Classes;
use crate::data::dataset::{Content, Dataset};
use crate::data::encoding::Encoding;
use crate::data::image::decode_resized;
use crate::data::load::{Watch, fill_in_parallel};
use crate::data::samples::Target;
use crate::data::streamed::Streamed;
use crate::data::warp::Pictures;
use crate::{Error, ErrorKind, Result};

pub fn read(folder: &Path, options: &ReadOptions, watch: Watch<'_>) -> Result<Dataset> {
    let files = list(folder, Kind::PICTURES, options)?;
    let classes = classes(folder, options, || Classes::of(files.iter().map(|file| file.class.as_str())))?;
    let targets = numbers(&classes, files.iter().map(|file| (file.path.display(), file.class.as_str())))?;
    let [height, width, channels] = options.picture;
    let size = Size::new(height, width);
    // Refuses a size of zero or too large before memory is asked for.
    Preprocess::new(size, None, size).map_err(|error| Error::usage("picture size", error))?;
    if !matches!(channels, 1 | 3) {
        let message =
            format!("the network takes pictures of {channels} channels; files are made into 1 (grey) or 3 (colour)");
        return Err(Error::new(ErrorKind::Shape, folder.display(), message));
    }
    let content = if options.stream {
        Content::Streamed(Streamed::new(options.picture, false, move |index, out| match files.get(index) {
            Some(file) => decode(file, size, &mut Vec::new(), out),
            None => Ok(()),
        })?)
    } else {
        let mut pixels = vec![0; files.len() * height * width * channels];
        fill_in_parallel(&mut pixels, &files, "pictures", watch, |file, scratch, out| {
            decode(file, size, scratch, out)
        })?;
        Content::Pictures(Pictures { shape: options.picture, pixels })
    };
    Ok(Dataset {
        content,
        target: Target::Class(classes.len()),
        targets,
        encoding: Encoding { classes, ..Encoding::default() },
    })
}

fn decode(file: &Labelled, target: Size, scratch: &mut Vec<u32>, out: &mut [u8]) -> Result<()> {
    let bytes = std::fs::read(&file.path).map_err(|error| Error::reading(&file.path, &error))?;
    let wrong = |message| Error::new(ErrorKind::BadImage, file.path.display(), message);
    decode_resized(&bytes, None, target, scratch, out).map_err(wrong)
}
