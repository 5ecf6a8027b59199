//! From a data folder to frames in memory: list, choose, decode and resize in parallel.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ackermann_firmware::preprocess::{Preprocess, Size};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::formats::Format;
use super::image::decode_resized;
use super::options::LoadOptions;
use super::record::{Record, Source};
use super::samples::FrameSet;
use super::streamed::Streamed;
use crate::{Error, ErrorKind, Result};

/// How a long job reports and how it is stopped.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Called from any thread with (done, total).
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
    /// Set it and the job ends with [`ErrorKind::Interrupted`].
    pub stop: &'a AtomicBool,
}

impl Watch<'static> {
    /// Reports nothing, never stops.
    pub fn none() -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Self { progress: &|_, _| {}, stop: &NEVER }
    }
}

/// What [`load`] found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The frames and labels, in the order of the recording; with side cameras: centre, left, right of each moment.
    pub frames: FrameSet,
    /// Layout of the folder.
    pub format: Format,
    /// Column that the labels are from.
    pub label: String,
}

/// Reads the recording in `folder`, whatever its format.
///
/// The result depends on the folder and the options alone, not on the number of threads.
///
/// # Errors
/// The first (in the order of the recording) thing that cannot be used: file, row, column, image; and an empty selection.
pub fn load(folder: &Path, options: &LoadOptions, watch: Watch<'_>) -> Result<Loaded> {
    let (records, format, label) = list(folder, options)?;
    Ok(Loaded { frames: decode_all(&images(records, options.side_correction), options, watch)?, format, label })
}

/// As [`load`], but leaves the images where they are until they are asked for: the frames and their labels.
///
/// # Errors
/// As [`load`], of images only the first.
pub fn stream(folder: &Path, options: &LoadOptions) -> Result<(Streamed, Vec<f32>)> {
    let (records, ..) = list(folder, options)?;
    let target = checked_size(options)?;
    let images = images(records, options.side_correction);
    let labels = images.iter().map(|image| image.label).collect();
    let options = options.clone();
    let shape = [options.height, options.width, 3];
    let frames = Streamed::new(shape, true, move |index, out| match images.get(index) {
        Some(image) => decode_one(image, &options, target, &mut Vec::new(), out),
        None => Ok(()),
    })?;
    Ok((frames, labels))
}

fn list(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, Format, String)> {
    options.check()?;
    let format = Format::detect(folder)?;
    let (mut records, label) = format.read(folder, options)?;
    drop_straight(&mut records, options);
    if records.is_empty() {
        let message = "has no frames with these options; check split and the fraction of straight frames dropped";
        return Err(Error::new(ErrorKind::BadFile, folder.display(), message));
    }
    Ok((records, format, label))
}

fn drop_straight(records: &mut Vec<Record>, options: &LoadOptions) {
    if options.drop_straight > 0.0 {
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        records.retain(|record| {
            let drawn: f32 = rng.random();
            record.label.abs() > options.straight_band || drawn >= options.drop_straight
        });
    }
}

/// One image to decode.
struct Image {
    place: String,
    source: Source,
    label: f32,
}

/// The images of the records, side cameras labelled with their correction: seen from the left, the way is to the right.
fn images(records: Vec<Record>, side_correction: Option<f32>) -> Vec<Image> {
    let correction = side_correction.unwrap_or(0.0);
    let mut images = Vec::with_capacity(records.len());
    for record in records {
        let mut push = |source, offset: f32| {
            let (place, label) = (record.place.clone(), (record.label + offset).clamp(-1.0, 1.0));
            images.push(Image { place, source, label });
        };
        push(record.center, 0.0);
        if let Some((left, right)) = record.sides {
            push(left, correction);
            push(right, -correction);
        }
    }
    images
}

/// The size that frames are made into. Refuses one of zero or enormous size before memory is asked for.
fn checked_size(options: &LoadOptions) -> Result<Size> {
    let target = Size::new(options.height, options.width);
    Preprocess::new(target, None, target).map_err(|error| Error::usage("frame size", error))?;
    Ok(target)
}

fn decode_all(images: &[Image], options: &LoadOptions, watch: Watch<'_>) -> Result<FrameSet> {
    let target = checked_size(options)?;
    let mut pixels = vec![0u8; images.len() * target.rgb_len()];
    fill_in_parallel(&mut pixels, images, "frames", watch, |image, scratch, out| {
        decode_one(image, options, target, scratch, out)
    })?;
    let labels = images.iter().map(|image| image.label).collect();
    Ok(FrameSet { height: options.height, width: options.width, pixels, labels })
}

/// Makes each of `items` (called `noun`) into its share of `pixels`, on all threads. The error is that of the first item that has one.
pub(super) fn fill_in_parallel<I: Sync>(
    pixels: &mut [u8],
    items: &[I],
    noun: &str,
    watch: Watch<'_>,
    decode: impl Fn(&I, &mut Vec<u32>, &mut [u8]) -> Result<()> + Sync,
) -> Result<()> {
    let share = (pixels.len() / items.len().max(1)).max(1);
    let done = AtomicUsize::new(0);
    // Index of the earliest failure so far: later items are not worth decoding, earlier ones may fail too.
    let failed_at = AtomicUsize::new(usize::MAX);
    let failure = Mutex::new(None::<(usize, Error)>);
    pixels.par_chunks_exact_mut(share).zip(items).enumerate().for_each_init(
        Vec::new,
        |scratch, (index, (out, item))| {
            if watch.stop.load(Ordering::Relaxed) || failed_at.load(Ordering::Relaxed) < index {
                return;
            }
            if let Err(error) = decode(item, scratch, out) {
                failed_at.fetch_min(index, Ordering::Relaxed);
                if let Ok(mut first) = failure.lock()
                    && first.as_ref().is_none_or(|(earlier, _)| index < *earlier)
                {
                    *first = Some((index, error));
                }
            }
            (watch.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        },
    );
    if let Some((_, error)) = failure.into_inner().unwrap_or_default() {
        return Err(error);
    }
    if watch.stop.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::Interrupted, "", format!("stopped while reading {noun}")));
    }
    Ok(())
}

fn decode_one(
    image: &Image,
    options: &LoadOptions,
    target: Size,
    scratch: &mut Vec<u32>,
    out: &mut [u8],
) -> Result<()> {
    let wrong = |message| Error::new(ErrorKind::BadImage, format!("{}: {}", image.place, image.source.name()), message);
    image
        .source
        .with_bytes(&image.place, |bytes| decode_resized(bytes, options.window, target, scratch, out).map_err(wrong))
}
