//! WAV files: in a folder for each class (`CLASS/FILE.wav`, or `SPLIT/CLASS/FILE.wav`), or in one folder with the class before the first
//! underscore of the name (`7_jackson_32.wav`). One sample rate for all; several channels are mixed.

use std::ops::Range;
use std::path::Path;

use super::folders::{Kind, Labelled, list};
use super::{ReadOptions, classes, numbers};
use crate::data::classes::Classes;
use crate::data::dataset::{Content, Dataset};
use crate::data::encoding::Encoding;
use crate::data::formats::file_names;
use crate::data::samples::Target;
use crate::data::sounds::Sounds;
use crate::data::split;
use crate::{Error, ErrorKind, Result};

pub fn read(folder: &Path, options: &ReadOptions) -> Result<Dataset> {
    let files = files(folder, options)?;
    let classes = classes(folder, options, || Classes::of(files.iter().map(|file| file.class.as_str())))?;
    let targets = numbers(&classes, files.iter().map(|file| (file.path.display(), file.class.as_str())))?;
    let (mut samples, mut clips) = (Vec::new(), Vec::<Range<usize>>::new());
    let mut common = None;
    for file in &files {
        let begin = samples.len();
        let rate = append(&file.path, &mut samples)?;
        let (first, expected) = common.get_or_insert((&file.path, rate));
        if *expected != rate {
            let message = format!(
                "has {rate} samples per second, {} has {expected}; resample one of them (sox IN -r {expected} OUT)",
                first.display()
            );
            return Err(Error::new(ErrorKind::BadFile, file.path.display(), message));
        }
        clips.push(begin..samples.len());
    }
    let rate = common.map_or(8000, |(_, rate)| rate);
    Ok(Dataset {
        content: Content::Sounds(Sounds::new(rate, samples, clips)),
        target: Target::Class(classes.len()),
        targets,
        encoding: Encoding { classes, ..Encoding::default() },
    })
}

fn files(folder: &Path, options: &ReadOptions) -> Result<Vec<Labelled>> {
    let names = file_names(folder)?;
    let flat: Vec<&String> = names.iter().filter(|name| Kind::SOUNDS.fits(name)).collect();
    if flat.is_empty() {
        return list(folder, Kind::SOUNDS, options);
    }
    let labelled = |name: &String| match name.split_once('_') {
        Some((class, _)) if !class.is_empty() => Ok(Labelled { path: folder.join(name), class: class.into() }),
        _ => {
            let message = "does not name its class: LABEL_ANYTHING.wav, or a folder for each class";
            Err(Error::new(ErrorKind::BadFile, folder.join(name).display(), message))
        }
    };
    let chosen = split::deal(folder, flat.len(), options.split.as_deref())?;
    chosen.into_iter().map(|index| labelled(flat[index])).collect()
}

/// Appends the samples of a file; its sample rate.
fn append(path: &Path, samples: &mut Vec<i16>) -> Result<u32> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let wrong = |message: String| Error::new(ErrorKind::BadFile, path.display(), message);
    let begin = samples.len();
    let rate = decode(&bytes, samples).map_err(wrong)?;
    if samples.len() == begin { Err(wrong("holds no sound".into())) } else { Ok(rate) }
}

/// Appends the samples of a WAV file as 16-bit ones, channels mixed; its sample rate.
///
/// # Errors
/// Says in words what is wrong with the bytes.
pub fn decode(bytes: &[u8], samples: &mut Vec<i16>) -> std::result::Result<u32, String> {
    let unreadable = |error: hound::Error| format!("is not a readable WAV file: {error}");
    let mut reader = hound::WavReader::new(bytes).map_err(unreadable)?;
    let spec = reader.spec();
    if !(RATES).contains(&spec.sample_rate) {
        return Err(format!(
            "has {} samples per second; {} to {} can be read",
            spec.sample_rate,
            RATES.start(),
            RATES.end()
        ));
    }
    let full_scale = match spec.sample_format {
        hound::SampleFormat::Float => 1.0,
        hound::SampleFormat::Int => f64::from(1u32 << (spec.bits_per_sample.clamp(1, 32) - 1)),
    };
    let values: Vec<f64> = match spec.sample_format {
        hound::SampleFormat::Float => {
            reader.samples::<f32>().map(|s| s.map(f64::from)).collect::<std::result::Result<_, _>>()
        }
        hound::SampleFormat::Int => {
            reader.samples::<i32>().map(|s| s.map(f64::from)).collect::<std::result::Result<_, _>>()
        }
    }
    .map_err(unreadable)?;
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(format!("sample {index} is {}; it must be finite", values[index]));
    }
    let channels = usize::from(spec.channels.max(1));
    let mixed = values.chunks_exact(channels).map(|moment| moment.iter().sum::<f64>() / channels as f64);
    samples.extend(mixed.map(|value| (value / full_scale * 32768.0).round().clamp(-32768.0, 32767.0) as i16));
    Ok(spec.sample_rate)
}

/// Sample rates that make sense of speech and machines.
pub const RATES: std::ops::RangeInclusive<u32> = 1_000..=384_000;
