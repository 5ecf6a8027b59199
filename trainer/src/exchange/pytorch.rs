//! safetensors files under PyTorch's names and layouts: a `state_dict`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, View, serialize};

use super::layout::{Foreign, foreign};
use super::names::matched;
use crate::graph::Params;
use crate::nn::Network;
use crate::{Error, ErrorKind, Result, files};

/// Writes the `state_dict` that the same network would have in PyTorch.
///
/// # Errors
/// A layer that PyTorch has not; parameters of another network; what the file system says.
pub fn save(path: &Path, network: &Network, params: &Params) -> Result<()> {
    network.check(params)?;
    let tensors = foreign(network)?.into_iter().map(|tensor| (tensor.name.clone(), Exported::new(tensor, params)));
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    let bytes = serialize(tensors, Some(metadata)).map_err(|e| Error::new(ErrorKind::Write, path.display(), e))?;
    files::write(path, &bytes)
}

/// Reads a `state_dict` (float32, float64, float16 or bfloat16) of the same network.
///
/// # Errors
/// What cannot be read; the first tensor that is missing, of another shape, or not of the network; values that are not finite, negative variances.
pub fn load(path: &Path, network: &Network) -> Result<Params> {
    load_all_but(path, network, None)
}

/// [`load`] without the tensors of the layer `skip`, which may have any shape in the file and is as drawn by seed 0.
pub fn load_all_but(path: &Path, network: &Network, skip: Option<&str>) -> Result<Params> {
    let bytes = std::fs::read(path).map_err(|e| Error::reading(path, &e))?;
    let bad = |message: String| Error::new(ErrorKind::BadFile, path.display(), message);
    let file = SafeTensors::deserialize(&bytes).map_err(|e| bad(format!("not a safetensors file: {e}")))?;
    let given: Vec<_> = file.iter().map(|(name, tensor)| (name.to_string(), tensor.shape().to_vec())).collect();
    let tensors = foreign(network)?;
    let names = matched(path, &tensors, &given, skip)?;
    let mut params = network.init(0)?;
    let is_skipped = |name: &str| skip.is_some_and(|skip| name.starts_with(&format!("{skip}.")));
    for tensor in tensors.iter().filter(|tensor| !is_skipped(&tensor.name)) {
        let Some(part) = &tensor.part else { continue };
        let name = names.get(&tensor.name).unwrap_or(&tensor.name);
        let view = file.tensor(name).map_err(|e| bad(format!("`{name}`: {e}")))?;
        let values = floats(&view).ok_or_else(|| bad(format!("`{name}` is {:?}, not float", view.dtype())))?;
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(bad(format!("`{name}` holds {value}, not finite as float32")));
        }
        let is_variance = tensor.name.ends_with(".running_var");
        if let Some(value) = values.iter().find(|value| is_variance && **value < 0.0) {
            return Err(bad(format!("`{name}` holds {value}; a variance is not negative")));
        }
        let missing = || Error::new(ErrorKind::Internal, &part.param, "is no parameter of the network");
        let data = &mut params.get_mut(&part.param).ok_or_else(missing)?.data;
        part.places().zip(values).for_each(|(place, value)| data[place] = value);
    }
    Ok(params)
}

fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = view.data();
    Some(match view.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        _ => return None,
    })
}

/// A tensor on its way out.
struct Exported {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Exported {
    fn new(tensor: Foreign, params: &Params) -> Self {
        if tensor.part.is_none() {
            return Self { dtype: Dtype::I64, shape: tensor.shape, bytes: 0i64.to_le_bytes().into() };
        }
        let bytes = values(&tensor, params).flat_map(f32::to_le_bytes).collect();
        Self { dtype: Dtype::F32, shape: tensor.shape, bytes }
    }
}

/// The elements of a tensor, in its order.
pub fn values<'t>(tensor: &'t Foreign, params: &'t Params) -> impl Iterator<Item = f32> + 't {
    tensor.part.iter().flat_map(|part| {
        let data = params.get(&part.param).map_or(&[][..], |param| &param.data);
        part.places().filter_map(|place| data.get(place).copied())
    })
}

impl View for Exported {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
