//! `ackermann run`: arrays through any network, the same bytes as on every board.

use std::path::Path;

use ackermann_core::blob::{AlignedBytes, Element, Tensor};
use ackermann_core::{Model, Session};
use ndarray::{ArrayD, IxDyn};
use rayon::prelude::*;
use serde::Serialize;

use super::observe::real;
use super::predict::{FRAMES_AT_ONCE, load};
use super::scale::Quantization;
use crate::data::npy::{self, Array};
use crate::data::npz;
use crate::{Error, ErrorKind, Result};

/// An array that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Name of the output.
    pub name: String,
    /// Type of its elements.
    pub element: &'static str,
    /// Its shape: that of the output, the first dimension times the number of samples.
    pub shape: Vec<usize>,
}

/// One input for all samples.
struct Fed {
    bytes: Vec<i8>,
    samples: usize,
}

/// The arrays in `input` through the network into `output`, in the elements that the network has.
///
/// A network with one input takes a `.npy` file, any network a `.npz` archive with an array for each input by its name; one with one
/// output writes `.npy`, else `.npz` by their names. int8 inputs take int8, uint8 (the pixels of frames) and float32 (real
/// numbers), int16 inputs int16 and float32, int32 inputs int32 and int64. An array holds one sample or several along its first dimension.
/// States forget before each sample, unless they are kept.
///
/// # Errors
/// Files that cannot be read or written, an array of another type or shape than the input, values that are not finite.
pub fn run_files(blob: &[u8], input: &Path, output: &Path, keep_state: bool) -> Result<Vec<Written>> {
    let model = load(blob)?;
    run_files_by(blob, input, output, |samples| {
        let length = if keep_state { samples.len() } else { FRAMES_AT_ONCE };
        let chunks = samples.par_chunks(length.max(1)).map(|samples| infer(&model, samples, keep_state));
        Ok(chunks.collect::<Result<Vec<_>>>()?.concat())
    })
}

/// [`run_files`] with `run` instead of this machine: from the bytes of all inputs of each sample to those of all outputs.
///
/// # Errors
/// As there, and what `run` says.
pub fn run_files_by(
    blob: &[u8],
    input: &Path,
    output: &Path,
    run: impl FnOnce(&[Vec<i8>]) -> Result<Vec<Vec<i8>>>,
) -> Result<Vec<Written>> {
    let model = load(blob)?;
    let fed = read(&model, input)?;
    let count = fed.first().map_or(0, |fed| fed.samples);
    if let Some(other) = fed.iter().find(|fed| fed.samples != count) {
        let message = format!("has {count} samples for one input and {} for another", other.samples);
        return Err(Error::new(ErrorKind::Shape, input.display(), message));
    }
    let part = |fed: &Fed, sample: usize| {
        let length = fed.bytes.len() / count;
        fed.bytes[sample * length..][..length].to_vec()
    };
    let whole = |sample| fed.iter().flat_map(|fed| part(fed, sample)).collect();
    let samples: Vec<Vec<i8>> = (0..count).map(whole).collect();
    write(&model, &run(&samples)?, output)
}

/// The name of an endpoint, which may be empty.
fn name<'m>(model: &Model<'m>, tensors: &[u16], at: usize) -> &'m str {
    tensors.get(at).and_then(|tensor| model.tensor_name(*tensor)).unwrap_or_default()
}

fn read(model: &Model<'_>, path: &Path) -> Result<Vec<Fed>> {
    let placed = |error: Error| Error { place: path.display().to_string(), ..error };
    let count = model.inputs().len();
    let mut arrays = if path.extension().is_some_and(|extension| extension == "npz") {
        let decode = |(name, bytes): (String, Vec<u8>)| npy::decode(&bytes).map(|array| (name, array));
        npz::read(path)?.into_iter().map(decode).collect::<Result<Vec<_>>>().map_err(placed)?
    } else {
        vec![(String::new(), npy::read(path)?)]
    };
    let mut fed = Vec::new();
    for (at, tensor) in (0..count).filter_map(|at| Some((at, model.input(at)?))) {
        let wanted = name(model, model.inputs(), at);
        let found = arrays.iter().position(|(name, _)| name == wanted);
        let found = found.or((count == 1 && arrays.len() == 1).then_some(0)).ok_or_else(|| {
            let message =
                format!("has no array '{wanted}' for that input; the network has {count}, give a .npz archive");
            Error::new(ErrorKind::Shape, path.display(), message)
        })?;
        fed.push(feed(arrays.swap_remove(found).1, tensor).map_err(placed)?);
    }
    Ok(fed)
}

/// The bytes of an array for an input.
fn feed(array: Array, tensor: &Tensor) -> Result<Fed> {
    let samples = samples(array.shape(), tensor)?;
    let quantization = Quantization { scale: tensor.scale(), zero_point: tensor.zero_point() as i8 };
    let words = |value: i16| value.to_le_bytes().map(|byte| byte as i8);
    let bytes: Vec<i8> = match (array, tensor.element()) {
        (Array::I8(array), Element::Int8) => array.into_iter().collect(),
        (Array::U8(array), Element::Int8) => {
            let pixels: [i8; 256] = std::array::from_fn(|pixel| quantization.quantize(real(pixel as u8)));
            array.into_iter().map(|pixel| pixels[usize::from(pixel)]).collect()
        }
        (Array::F32(array), Element::Int8) => finite(array)?.into_iter().map(|x| quantization.quantize(x)).collect(),
        (Array::I16(array), Element::Int16) => array.into_iter().flat_map(words).collect(),
        (Array::F32(array), Element::Int16) => {
            finite(array)?.into_iter().flat_map(|x| words((x / tensor.scale()).round() as i16)).collect()
        }
        (Array::I32(array), Element::Int32) => {
            array.into_iter().flat_map(|value| value.to_le_bytes().map(|byte| byte as i8)).collect()
        }
        (array, element) => {
            let takes = match element {
                Element::Int8 => "int8, uint8 or float32",
                Element::Int16 => "int16 or float32",
                Element::Int32 => "int32 or int64",
            };
            let message = format!("holds {} numbers; the network takes {takes} here", array.type_name());
            return Err(Error::new(ErrorKind::BadFile, "", message));
        }
    };
    Ok(Fed { bytes, samples })
}

fn finite(array: ArrayD<f32>) -> Result<ArrayD<f32>> {
    let finite = array.iter().all(|value| value.is_finite());
    let error = || Error::new(ErrorKind::NotFinite, "", "holds a NaN or an infinity");
    finite.then_some(array).ok_or_else(error)
}

fn shape(tensor: &Tensor) -> Vec<usize> {
    tensor.shape().iter().map(|d| *d as usize).collect()
}

/// How many samples an array of this shape holds: one, with or without the batch axis, or several along the first.
fn samples(found: &[usize], tensor: &Tensor) -> Result<usize> {
    let wanted = shape(tensor);
    let (batch, one) = wanted.split_first().map_or((1, &[][..]), |(batch, one)| (*batch, one));
    match found.split_first() {
        _ if found == wanted || batch == 1 && found == one => Ok(1),
        // A sequence of pictures takes all four dimensions, the batch stands before them.
        Some((first, rest)) if rest == wanted && *first > 0 => Ok(*first),
        Some((first, rest)) if rest == one && *first > 0 && first.is_multiple_of(batch) => Ok(first / batch),
        _ => {
            let message =
                format!("has the shape {found:?}, the network takes {wanted:?} or several of them in a batch");
            Err(Error::new(ErrorKind::Shape, "", message))
        }
    }
}

/// The outputs of samples one after another.
fn infer(model: &Model<'_>, samples: &[Vec<i8>], keep_state: bool) -> Result<Vec<Vec<i8>>> {
    let internal = |error| Error::new(ErrorKind::Internal, "", format!("the session did not start: {error}"));
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(*model, &mut arena).map_err(internal)?;
    let mut outputs = Vec::new();
    for sample in samples {
        let mut rest = &sample[..];
        for at in 0..model.inputs().len() {
            let input = session.input_mut(at).unwrap_or(&mut []);
            input.iter_mut().zip(rest).for_each(|(q, value)| *q = *value);
            rest = rest.get(input.len()..).unwrap_or(&[]);
        }
        if !keep_state {
            session.reset();
        }
        session.run();
        let output = |at| session.output(at).unwrap_or(&[]);
        outputs.push((0..model.outputs().len()).flat_map(output).copied().collect());
    }
    Ok(outputs)
}

/// Writes the outputs, and says what they are.
fn write(model: &Model<'_>, outputs: &[Vec<i8>], path: &Path) -> Result<Vec<Written>> {
    let placed = |error: Error| Error { place: path.display().to_string(), ..error };
    let (mut written, mut files): (Vec<Written>, Vec<(String, Vec<u8>)>) = (Vec::new(), Vec::new());
    let mut begin = 0;
    for (at, tensor) in (0..model.outputs().len()).filter_map(|at| Some((at, model.output(at)?))) {
        let mut shape = shape(tensor);
        if let Some(first) = shape.first_mut() {
            *first *= outputs.len();
        }
        let part = |output: &Vec<i8>| output.get(begin..begin + tensor.bytes()).unwrap_or_default().to_vec();
        let bytes: Vec<i8> = outputs.iter().flat_map(part).collect();
        begin += tensor.bytes();
        let name = match name(model, model.outputs(), at) {
            name if name.is_empty() || files.iter().any(|(other, _)| other == name) => format!("output{at}"),
            name => name.to_string(),
        };
        let (element, file) = encode(tensor.element(), bytes, &shape).map_err(placed)?;
        written.push(Written { name: name.clone(), element, shape });
        files.push((name, file));
    }
    match &files[..] {
        [(_, file)] => crate::files::write(path, file)?,
        _ => npz::write(path, &files)?,
    }
    Ok(written)
}

/// The `.npy` file of an output, and the name of its elements.
fn encode(element: Element, bytes: Vec<i8>, shape: &[usize]) -> Result<(&'static str, Vec<u8>)> {
    fn file<T: ndarray_npy::WritableElement + Clone>(values: Vec<T>, shape: &[usize]) -> Result<Vec<u8>> {
        let internal = |error| Error::new(ErrorKind::Internal, "", format!("output shape: {error}"));
        npy::encode(ArrayD::from_shape_vec(IxDyn(shape), values).map_err(internal)?.view())
    }
    let unsigned = |word: &i8| *word as u8;
    Ok(match element {
        Element::Int8 => ("int8", file(bytes, shape)?),
        Element::Int16 => {
            let words = bytes.as_chunks::<2>().0.iter();
            ("int16", file(words.map(|w| i16::from_le_bytes(w.each_ref().map(unsigned))).collect(), shape)?)
        }
        Element::Int32 => {
            let words = bytes.as_chunks::<4>().0.iter();
            ("int32", file(words.map(|w| i32::from_le_bytes(w.each_ref().map(unsigned))).collect(), shape)?)
        }
    })
}
