//! The int8 core on the host: frames in, steering out, the same bytes as on every board.

use std::path::Path;

use ackermann_core::blob::AlignedBytes;
use ackermann_core::{Model, Session};
use ndarray::{ArrayD, IxDyn};
use rayon::prelude::*;

use super::Quantization;
use crate::data::FrameSet;
use crate::data::npy::{self, Array};
use crate::{Error, ErrorKind, Result};

/// Reads the blob file `path` and checks it.
///
/// # Errors
/// A file that cannot be read, or one that the loader refuses.
pub fn read_blob(path: &Path) -> Result<AlignedBytes> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let blob = AlignedBytes::copy_of(&bytes);
    load(&blob).map_err(|error| Error { place: path.display().to_string(), ..error })?;
    Ok(blob)
}

/// Loads a blob, the loader's error turned into one of the host.
///
/// # Errors
/// What the loader refuses.
pub fn load(blob: &[u8]) -> Result<Model<'_>> {
    Model::load(blob).map_err(|error| Error::new(ErrorKind::BadBlob, "", format!("is no usable network: {error}")))
}

/// An int8 network with its arena. Cloning copies the arena only, so every thread can have its own.
#[derive(Debug, Clone)]
pub struct Int8Predictor<'m> {
    model: Model<'m>,
    arena: AlignedBytes,
    from_pixel: [i8; 256],
    output: Quantization,
    saturated: u64,
}

impl<'m> Int8Predictor<'m> {
    /// A predictor over `blob`, which lies at a 16-byte boundary ([`read_blob`]).
    ///
    /// # Errors
    /// What the loader refuses.
    pub fn new(blob: &'m [u8]) -> Result<Self> {
        let model = load(blob)?;
        let (Some(input), Some(output)) = (model.input(0), model.output(0)) else {
            return Err(Error::new(ErrorKind::BadBlob, "", "has no input or no output"));
        };
        let quantization = Quantization { scale: input.scale(), zero_point: input.zero_point() as i8 };
        let mut from_pixel = [0; 256];
        for (entry, pixel) in from_pixel.iter_mut().zip(0u8..=255) {
            *entry = quantization.quantize((f32::from(pixel) - 128.0) / 128.0);
        }
        let output = Quantization { scale: output.scale(), zero_point: output.zero_point() as i8 };
        let arena = AlignedBytes::zeroed(model.arena_bytes());
        Ok(Self { model, arena, from_pixel, output, saturated: 0 })
    }

    /// The model that runs.
    pub fn model(&self) -> &Model<'m> {
        &self.model
    }

    /// Dimensions of the input, the batch of 1 included.
    pub fn input_shape(&self) -> Vec<usize> {
        self.model.input(0).map_or(Vec::new(), |t| t.shape().iter().map(|d| *d as usize).collect())
    }

    /// Bytes of one frame.
    pub fn input_len(&self) -> usize {
        self.model.input(0).map_or(0, |tensor| tensor.elements())
    }

    /// How many outputs so far stood at the first or last int8 value: the range was too tight if it is more than a few.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// One inference on int8 values.
    ///
    /// # Errors
    /// An input of another length.
    pub fn run(&mut self, input: &[i8]) -> Result<Vec<i8>> {
        self.infer(input.len(), |tensor| tensor.copy_from_slice(input))
    }

    /// One inference on a frame of the network's size (HWC bytes); the first output, dequantized: for a steering network
    /// the normalized steering, + is right.
    ///
    /// # Errors
    /// A frame of another size.
    pub fn predict(&mut self, pixels: &[u8]) -> Result<f32> {
        let table = self.from_pixel;
        let output = self.infer(pixels.len(), |tensor| {
            tensor.iter_mut().zip(pixels).for_each(|(q, pixel)| *q = table[usize::from(*pixel)]);
        })?;
        Ok(output.first().map_or(0.0, |q| self.output.dequantize(*q)))
    }

    fn infer(&mut self, len: usize, fill: impl FnOnce(&mut [i8])) -> Result<Vec<i8>> {
        if len != self.input_len() {
            let shape = self.input_shape();
            return Err(Error::new(ErrorKind::Shape, "", format!("{len} values do not fill the input {shape:?}")));
        }
        let internal = |error| Error::new(ErrorKind::Internal, "", format!("the session did not start: {error}"));
        let mut session = Session::new(self.model, &mut self.arena).map_err(internal)?;
        fill(session.input_mut(0).unwrap_or(&mut []));
        session.run();
        let output = session.output(0).unwrap_or(&[]).to_vec();
        self.saturated += output.iter().filter(|q| matches!(**q, i8::MIN | i8::MAX)).count() as u64;
        Ok(output)
    }
}

/// What the int8 network says about a set of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Int8Predictions {
    /// One dequantized output per frame.
    pub values: Vec<f32>,
    /// Outputs at the first or last int8 value.
    pub saturated: u64,
}

/// Runs every frame of `frames` on all threads.
///
/// # Errors
/// A blob that the loader refuses, frames of another size.
pub fn predict_all(blob: &[u8], frames: &FrameSet) -> Result<Int8Predictions> {
    const FRAMES_AT_ONCE: usize = 32;
    let predictor = Int8Predictor::new(blob)?;
    let indices: Vec<usize> = (0..frames.len()).collect();
    let chunks: Vec<Result<(Vec<f32>, u64)>> = indices
        .par_chunks(FRAMES_AT_ONCE)
        .map(|chunk| {
            let mut predictor = predictor.clone();
            let values: Result<Vec<f32>> = chunk.iter().map(|&index| predictor.predict(frames.frame(index))).collect();
            Ok((values?, predictor.saturated))
        })
        .collect();
    let mut all = Int8Predictions { values: Vec::with_capacity(frames.len()), saturated: 0 };
    for chunk in chunks {
        let (values, saturated) = chunk?;
        all.values.extend(values);
        all.saturated += saturated;
    }
    Ok(all)
}

/// `ackermann run`: the array in `input` through the network into `output`, an int8 array.
///
/// int8 input is taken as it is, uint8 as the pixels of frames, float32 as real numbers. The input may hold several
/// inputs one after another (a batch); the output then has as many.
///
/// # Errors
/// Files that cannot be read or written, an array whose size is no multiple of the network's input.
pub fn run_npy(blob: &[u8], input: &Path, output: &Path) -> Result<()> {
    let mut predictor = Int8Predictor::new(blob)?;
    let values = quantized(npy::read(input)?, &predictor);
    let len = predictor.input_len();
    if values.is_empty() || !values.len().is_multiple_of(len) {
        let message = format!("holds {} values, the network takes {:?}", values.len(), predictor.input_shape());
        return Err(Error::new(ErrorKind::Shape, input.display(), message));
    }
    let batch = values.len() / len;
    let results: Result<Vec<Vec<i8>>> = values.chunks_exact(len).map(|values| predictor.run(values)).collect();
    let mut shape: Vec<usize> =
        predictor.model.output(0).map_or(Vec::new(), |t| t.shape().iter().map(|d| *d as usize).collect());
    if let Some(first) = shape.first_mut() {
        *first *= batch;
    }
    let internal = |error| Error::new(ErrorKind::Internal, output.display(), format!("output shape: {error}"));
    let array = ArrayD::from_shape_vec(IxDyn(&shape), results?.concat()).map_err(internal)?;
    npy::write(output, array.view())
}

fn quantized(array: Array, predictor: &Int8Predictor<'_>) -> Vec<i8> {
    let input = predictor.model.input(0);
    let quantization =
        input.map_or(Quantization::FRAME, |t| Quantization { scale: t.scale(), zero_point: t.zero_point() as i8 });
    match array {
        Array::I8(array) => array.into_iter().collect(),
        Array::U8(array) => array.into_iter().map(|pixel| predictor.from_pixel[usize::from(pixel)]).collect(),
        Array::F32(array) => array.into_iter().map(|value| quantization.quantize(value)).collect(),
    }
}
