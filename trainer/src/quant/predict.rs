//! The int8 core on the host: frames in, steering out, the same bytes as on every board.

use std::path::Path;

use ackermann_core::blob::{AlignedBytes, Element, Target, Tensor, keys, received, repack};
use ackermann_core::{Model, Session};
use rayon::prelude::*;

use super::Quantization;
use super::observe::real;
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

/// Loads a blob whose checksum is right, the loader's error turned into one of the host.
///
/// # Errors
/// What the loader refuses.
pub fn load(blob: &[u8]) -> Result<Model<'_>> {
    received(blob).map_err(|error| Error::new(ErrorKind::BadBlob, "", format!("is no usable network: {error}")))
}

/// The same network with its weights in the order that this machine is fast with. Results are the same.
///
/// # Errors
/// What the loader refuses.
pub fn for_this_machine(blob: &[u8]) -> Result<AlignedBytes> {
    let unusable = |error| Error::new(ErrorKind::BadBlob, "", format!("is no usable network: {error}"));
    repack(blob, Target::this_machine()).map_err(unusable)
}

/// An int8 network with its arena, validated once. Clones share the blob, so every thread can have its own.
#[derive(Debug, Clone)]
pub struct Int8Predictor<'m> {
    model: Model<'m>,
    arena: AlignedBytes,
    /// Runs that a sample takes: more than one where samples are sequences.
    steps: usize,
    input: Endpoint,
    output: Endpoint,
    from_pixel: [i8; 256],
    saturated: u64,
}

/// The network's input or output tensor.
#[derive(Debug, Clone)]
pub struct Endpoint {
    shape: Vec<usize>,
    element: Element,
    quantization: Quantization,
}

impl Endpoint {
    pub fn of(tensor: Option<&Tensor>) -> Result<Self> {
        let missing = || Error::new(ErrorKind::BadBlob, "", "has no input or no output");
        let tensor = tensor.ok_or_else(missing)?;
        let quantization = Quantization { scale: tensor.scale(), zero_point: tensor.zero_point() as i8 };
        let shape = tensor.shape().iter().map(|d| *d as usize).collect();
        Ok(Self { shape, element: tensor.element(), quantization })
    }

    fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * self.element.bytes()
    }

    fn int8(self) -> Result<Self> {
        match self.element {
            Element::Int8 => Ok(self),
            element => {
                let message = format!("has an output of {element:?} elements; int8 is supported here");
                Err(Error::new(ErrorKind::BadBlob, "", message))
            }
        }
    }

    /// The bytes of real numbers, or of indices.
    pub fn quantize(&self, values: &[f32]) -> Vec<i8> {
        let signed = |byte: u8| byte as i8;
        match self.element {
            Element::Int8 => values.iter().map(|x| self.quantization.quantize(*x)).collect(),
            Element::Int16 => {
                let steps = values.iter().map(|x| (x / self.quantization.scale).round() as i16);
                steps.flat_map(i16::to_le_bytes).map(signed).collect()
            }
            Element::Int32 => values.iter().flat_map(|x| (*x as i32).to_le_bytes()).map(signed).collect(),
        }
    }
}

/// Frames that one thread predicts at a time.
pub const FRAMES_AT_ONCE: usize = 16;

impl<'m> Int8Predictor<'m> {
    /// A predictor over `blob`, which lies at a 16-byte boundary; fastest if it comes from [`for_this_machine`].
    ///
    /// # Errors
    /// What the loader refuses.
    pub fn new(blob: &'m [u8]) -> Result<Self> {
        let model = load(blob)?;
        let (input, output) = (Endpoint::of(model.input(0))?, Endpoint::of(model.output(0))?.int8()?);
        let from_pixel = std::array::from_fn(|pixel| input.quantization.quantize(real(pixel as u8)));
        let arena = AlignedBytes::zeroed(model.arena_bytes());
        let steps = steps(&model)?.unwrap_or(1);
        Ok(Self { model, arena, steps, input, output, from_pixel, saturated: 0 })
    }

    /// Dimensions of the input, the batch of 1 included.
    pub fn input_shape(&self) -> &[usize] {
        &self.input.shape
    }

    /// How many outputs so far stood at the first or last int8 value: the range was too tight if it is more than a few.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// Frames of the network's size (HWC bytes, one after another) to outputs, dequantized: for a steering network one
    /// number per frame, the normalized steering, + is right. Many frames run on all threads.
    ///
    /// # Errors
    /// Bytes that are no whole frames of the network's size, a network that takes no pixels.
    pub fn predict(&mut self, frames: &[u8]) -> Result<Vec<f32>> {
        if self.input.element != Element::Int8 {
            let message = format!("takes {:?} elements, no pixels", self.input.element);
            return Err(Error::new(ErrorKind::Shape, "", message));
        }
        let table = self.from_pixel;
        let values: Vec<i8> = frames.iter().map(|pixel| table[usize::from(*pixel)]).collect();
        self.dequantized(&values)
    }

    /// The same for any network, whose inputs are given as the real numbers (or indices) that it was trained on.
    ///
    /// # Errors
    /// Numbers that are no whole inputs.
    pub fn predict_inputs(&mut self, inputs: &[f32]) -> Result<Vec<f32>> {
        let values = self.input.quantize(inputs);
        self.dequantized(&values)
    }

    fn dequantized(&mut self, values: &[i8]) -> Result<Vec<f32>> {
        let scale = self.output.quantization;
        Ok(self.run(values)?.into_iter().map(|q| scale.dequantize(q)).collect())
    }

    /// int8 samples (the bytes of others), one after another, to int8 outputs, one after another. Where samples are sequences, every step has
    /// its output. States forget before each sample.
    ///
    /// # Errors
    /// Values that are no whole samples.
    pub fn run(&mut self, inputs: &[i8]) -> Result<Vec<i8>> {
        let (len, steps) = (self.input.bytes(), self.steps);
        let sample = len.saturating_mul(steps);
        if inputs.is_empty() || !inputs.len().is_multiple_of(sample) {
            let (count, shape) = (inputs.len(), &self.input.shape);
            let times = if steps > 1 { format!(" {steps} times") } else { String::new() };
            let message = format!("holds {count} values, the network takes {shape:?}{times}");
            return Err(Error::new(ErrorKind::Shape, "", message));
        }
        let outputs = if inputs.len() <= sample * FRAMES_AT_ONCE {
            infer(&self.model, &mut self.arena, inputs, [sample, len])?
        } else {
            let model = self.model;
            let chunks = inputs.par_chunks(sample * FRAMES_AT_ONCE);
            let arena = || AlignedBytes::zeroed(model.arena_bytes());
            let outputs: Result<Vec<Vec<i8>>> =
                chunks.map_init(arena, |arena, c| infer(&model, arena, c, [sample, len])).collect();
            outputs?.concat()
        };
        self.saturated += outputs.iter().filter(|q| matches!(**q, i8::MIN | i8::MAX)).count() as u64;
        Ok(outputs)
    }
}

/// Runs samples of `sample` values one after another, `len` of them at a time.
fn infer(model: &Model<'_>, arena: &mut AlignedBytes, inputs: &[i8], [sample, len]: [usize; 2]) -> Result<Vec<i8>> {
    let internal = |error| Error::new(ErrorKind::Internal, "", format!("the session did not start: {error}"));
    let mut session = Session::new(*model, arena).map_err(internal)?;
    let mut outputs = Vec::new();
    for steps in inputs.chunks_exact(sample) {
        session.reset();
        for values in steps.chunks_exact(len) {
            let input = session.input_mut(0).unwrap_or(&mut []);
            input.iter_mut().zip(values).for_each(|(q, value)| *q = *value);
            session.run();
            outputs.extend_from_slice(session.output(0).unwrap_or(&[]));
        }
    }
    Ok(outputs)
}

/// How many steps the samples had that the network was trained on, where they were sequences: a run of the network is one of them.
///
/// # Errors
/// Metadata that is no number of steps.
fn steps(model: &Model<'_>) -> Result<Option<usize>> {
    let parsed = |text: &str| {
        let wrong = || Error::new(ErrorKind::BadBlob, "", format!("says {} `{text}`, no number from 1", keys::STEPS));
        text.parse::<u32>().ok().filter(|steps| *steps > 0).map(|steps| steps as usize).ok_or_else(wrong)
    };
    model.metadata().get(keys::STEPS).map(parsed).transpose()
}

/// Dimensions of a sample of the network, without the batch of 1: of an input, behind the number of steps where samples are sequences that it goes
/// along with. Tensors have four dimensions at most, so that a sequence of pictures that it takes at once has no batch.
///
/// # Errors
/// A network without input, metadata that is no number of steps.
pub fn sample_shape(model: &Model<'_>) -> Result<Vec<usize>> {
    let no_input = || Error::new(ErrorKind::BadBlob, "", "has no input");
    let shape = model.input(0).ok_or_else(no_input)?.shape();
    let input = shape.strip_prefix(&[1]).unwrap_or(shape).iter().map(|&size| size as usize);
    Ok(steps(model)?.into_iter().chain(input).collect())
}
