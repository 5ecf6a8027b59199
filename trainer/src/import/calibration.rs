//! Arrays that show which values an imported network meets.

use std::path::Path;

use ndarray::{ArrayD, IxDyn};

use super::{unusable, within};
use crate::data::npy::{self, Array};
use crate::data::npz;
use crate::quant::{FloatGraph, Inputs};
use crate::{Error, ErrorKind, Result};

/// Samples of every input of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arrays {
    /// For each input all samples, one after another.
    inputs: Vec<Vec<f32>>,
    count: usize,
}

impl Arrays {
    /// Reads `path`: a `.npy` file (networks with one input), a `.npz` archive with an array for each input by its name (or
    /// one array), or a folder of such files. An array is one sample or several along its first dimension, float32 (integers for
    /// indices), in the order of the network on the board (NHWC) or, with the channels first, in that of the file.
    ///
    /// # Errors
    /// Files that cannot be read, arrays of other shapes, values that are not finite.
    pub fn read(path: &Path, float: &FloatGraph) -> Result<Self> {
        let mut arrays = Self { inputs: vec![Vec::new(); float.inputs.len()], count: 0 };
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(|error| Error::reading(path, &error))?;
            let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_array(path)).collect();
            files.sort();
            for file in files {
                arrays.add(&file, float)?;
            }
        } else {
            arrays.add(path, float)?;
        }
        if arrays.count == 0 {
            return Err(Error::new(ErrorKind::BadFile, path.display(), "holds no calibration input (.npy or .npz)"));
        }
        Ok(arrays)
    }

    fn add(&mut self, path: &Path, float: &FloatGraph) -> Result<()> {
        let placed = |error| within(path.display(), error);
        let mut counts = Vec::new();
        let mut named: Vec<(String, Array)> = if path.extension().is_some_and(|extension| extension == "npz") {
            let decode = |(name, bytes): (String, Vec<u8>)| npy::decode(&bytes).map(|array| (name, array));
            npz::read(path)?.into_iter().map(decode).collect::<Result<_>>().map_err(placed)?
        } else {
            vec![(String::new(), npy::read(path)?)]
        };
        for (number, input) in float.inputs.iter().enumerate() {
            let node = float.graph.node(*input);
            let found = named.iter().position(|(name, _)| *name == node.name);
            let alone = (named.len() == 1 && float.inputs.len() == 1).then_some(0);
            let missing = || placed(unusable(format!("has no array '{}' for that input of the network", node.name)));
            let (_, array) = named.swap_remove(found.or(alone).ok_or_else(missing)?);
            let array = numbers(array, float.given.integers.contains(input)).map_err(placed)?;
            let values = values(array, &node.shape).map_err(placed)?;
            counts.push(values.len() / node.shape.elements().max(1));
            self.inputs[number].extend(values);
        }
        if counts.iter().any(|count| *count != counts[0]) {
            return Err(placed(unusable(format!(
                "has {counts:?} samples for the inputs; as many for each are needed"
            ))));
        }
        self.count += counts.first().copied().unwrap_or(0);
        Ok(())
    }
}

fn is_array(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "npy" || extension == "npz")
}

/// Real numbers, or indices.
fn numbers(array: Array, indices: bool) -> Result<ArrayD<f32>> {
    match array {
        Array::I32(array) if indices => Ok(array.mapv(|index| index as f32)),
        Array::F32(array) if !indices => {
            let finite = array.iter().all(|value| value.is_finite());
            let error = || Error::new(ErrorKind::NotFinite, "", "holds a NaN or an infinity");
            finite.then_some(array).ok_or_else(error)
        }
        other => {
            let wanted = if indices { "int32 or int64 here: indices" } else { "float32" };
            Err(unusable(format!("holds {} numbers; calibration inputs are {wanted}", other.type_name())))
        }
    }
}

/// Samples of shape `wanted` in the network's order.
fn values(array: ArrayD<f32>, wanted: &[usize]) -> Result<Vec<f32>> {
    // One sample, or several behind each other; the 1 of a batch may be left out or stand for several.
    let sample = wanted.strip_prefix(&[1]).unwrap_or(wanted);
    let found = array.shape().to_vec();
    let (first, rest) = found.split_first().map_or((1, &[][..]), |(first, rest)| (*first, rest));
    let whole = found == sample || found == wanted;
    if whole || first > 0 && (rest == sample || rest == wanted) {
        return Ok(array.into_iter().collect());
    }
    // Channels first, as most tools outside have them.
    let (height, width, channels) = match *sample {
        [height, width, channels] => (height, width, channels),
        [width, channels] => (1, width, channels),
        _ => return Err(shape_error(&found, wanted)),
    };
    let planes = [channels, height, width];
    let planes = if sample.len() == 2 { &[channels, width][..] } else { &planes[..] };
    if found == planes || rest == planes && first > 0 {
        let count = if found == planes { 1 } else { first };
        let shaped: ArrayD<f32> = array
            .into_shape_with_order(IxDyn(&[count, channels, height, width]))
            .map_err(|error| Error::new(ErrorKind::Internal, "", error))?;
        return Ok(shaped.permuted_axes(IxDyn(&[0, 2, 3, 1])).iter().copied().collect());
    }
    Err(shape_error(&found, wanted))
}

fn shape_error(found: &[usize], wanted: &[usize]) -> Error {
    let message = format!("has the shape {found:?}, the network takes {wanted:?} or several of them in a batch");
    Error::new(ErrorKind::Shape, "", message)
}

impl Inputs for Arrays {
    fn count(&self) -> usize {
        self.count
    }

    fn fill(&self, sample: usize, input: usize, values: &mut [f32]) {
        if let Some(from) = self.inputs.get(input).and_then(|all| all.get(sample * values.len()..)) {
            values.iter_mut().zip(from).for_each(|(value, from)| *value = *from);
        }
    }
}
