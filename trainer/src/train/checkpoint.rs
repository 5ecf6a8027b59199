//! Parameters and the state of a run in safetensors files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, View, serialize};
use serde::{Deserialize, Serialize};

use crate::graph::{Param, Params};
use crate::nn::Network;
use crate::optim::{Ema, Optimizer};
use crate::{Error, ErrorKind, Result, files};

/// Key of the position in the metadata. One key only: the format's metadata has no order, and files must be
/// the same bytes every time.
const POSITION: &str = "ackermann.position";
/// What the names of optimizer tensors begin with.
const OPTIMIZER: &str = "optimizer.";
/// What the names of averaged parameters begin with.
const AVERAGE: &str = "ema.";

/// Where a run stands. Numbers that decide the future are kept exactly: floats by their bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs finished.
    pub epoch: usize,
    /// Steps made in the epoch that runs.
    pub step: usize,
    /// Steps made in all.
    pub total_steps: u64,
    /// Sum of the losses of this epoch's steps (bits of an `f64`).
    pub loss_sum: u64,
    /// Score of the best epoch, the lower the better (bits of an `f64`); `None` before the first.
    pub best: Option<u64>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
    /// Training samples: a run continues on the same data only.
    pub samples: usize,
    /// [`Samples::digest`](crate::data::Samples::digest) of them; checkpoints of before there was one have none.
    pub data: Option<u32>,
    /// Digest of the configuration, likewise: `config.json` can be edited.
    pub config: Option<u32>,
}

struct Tensor<'a> {
    shape: Vec<usize>,
    data: &'a [f32],
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.data.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        size_of_val(self.data)
    }
}

/// Saves parameters under their plain names.
pub fn save_params(path: &Path, params: &Params) -> Result<()> {
    write(path, tensors(params), None)
}

/// Loads the parameters of `network`. Errors name the first parameter that is missing or has another shape.
pub fn load_params(path: &Path, network: &Network) -> Result<Params> {
    let bytes = read(path)?;
    params_of(path, &parse(path, &bytes)?, network)
}

/// Saves a whole run.
pub fn save_run(
    path: &Path,
    params: &Params,
    optimizer: &Optimizer,
    average: Option<&Ema>,
    position: &Position,
) -> Result<()> {
    let averages = average.into_iter().flat_map(|ema| tensors(ema.params()));
    let averages = averages.map(|(name, tensor)| (format!("{AVERAGE}{name}"), tensor));
    let state = optimizer
        .state(params)
        .map(|(moment, name, data)| (format!("{OPTIMIZER}{moment}.{name}"), Tensor { shape: vec![data.len()], data }));
    let text = serde_json::to_string(position).map_err(|e| Error::new(ErrorKind::Internal, path.display(), e))?;
    write(path, tensors(params).chain(state).chain(averages), Some(HashMap::from([(POSITION.to_string(), text)])))
}

/// Loads a whole run into `optimizer` and `average`.
pub fn load_run(
    path: &Path,
    network: &Network,
    optimizer: &mut Optimizer,
    average: Option<&mut Ema>,
) -> Result<(Params, Position)> {
    let bytes = read(path)?;
    let file = parse(path, &bytes)?;
    let params = params_of(path, &file, network)?;
    let bad = |message: String| Error::new(ErrorKind::BadFile, path.display(), message);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
    let text = metadata.metadata().as_ref().and_then(|m| m.get(POSITION));
    let text = text.ok_or_else(|| bad("has parameters but no training position; it cannot be resumed".into()))?;
    let position: Position = serde_json::from_str(text).map_err(|e| bad(format!("training position: {e}")))?;
    let values = |name: String, whose: &str| {
        let missing = || bad(format!("lacks {whose} `{name}`; was the run made with other settings?"));
        let tensor = file.tensor(&name).map_err(|_| missing())?;
        floats(tensor.dtype(), tensor.data()).ok_or_else(|| bad(format!("`{name}` is not f32")))
    };
    optimizer.restore(&params, position.total_steps, |slot, name| {
        values(format!("{OPTIMIZER}{slot}.{name}"), "the optimizer's")
    })?;
    if let Some(average) = average {
        average.restore(position.total_steps, |name| {
            let name = format!("{AVERAGE}{name}");
            let data = values(name.clone(), "the average")?;
            check_finite(path, &name, &data).map(|()| data)
        })?;
    }
    Ok((params, position))
}

fn tensors(params: &Params) -> impl Iterator<Item = (String, Tensor<'_>)> {
    params.entries().iter().map(|p| (p.name.clone(), Tensor { shape: p.shape.to_vec(), data: &p.data }))
}

fn write<'a>(
    path: &Path,
    tensors: impl Iterator<Item = (String, Tensor<'a>)>,
    metadata: Option<HashMap<String, String>>,
) -> Result<()> {
    let bytes = serialize(tensors, metadata).map_err(|e| Error::new(ErrorKind::Write, path.display(), e))?;
    files::write(path, &bytes)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::reading(path, &e))
}

fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<SafeTensors<'a>> {
    SafeTensors::deserialize(bytes)
        .map_err(|e| Error::new(ErrorKind::BadFile, path.display(), format!("not a safetensors file: {e}")))
}

fn params_of(path: &Path, file: &SafeTensors<'_>, network: &Network) -> Result<Params> {
    let own = network.init(0)?;
    let mut params = Params::new();
    // The network's order first, so that the error names its first parameter that differs.
    for param in own.entries() {
        let Ok(tensor) = file.tensor(&param.name) else { continue };
        let data = floats(tensor.dtype(), tensor.data());
        let data = data.ok_or_else(|| {
            Error::new(ErrorKind::BadFile, path.display(), format!("`{}` is {:?}, not F32", param.name, tensor.dtype()))
        })?;
        check_finite(path, &param.name, &data)?;
        let (name, shape) = (param.name.clone(), tensor.shape().into());
        params.insert(Param { name, shape, data, trainable: param.trainable })?;
    }
    let at_path = |e: Error| Error { place: format!("{}: {}", path.display(), e.place), ..e };
    network.check(&params).map_err(at_path)?;
    let state = |name: &str| name.starts_with(OPTIMIZER) || name.starts_with(AVERAGE);
    match file.names().into_iter().filter(|n| !state(n) && own.get(n).is_none()).min() {
        Some(extra) => {
            let message = format!("has a parameter `{extra}` that {} does not have", network.name);
            Err(Error::new(ErrorKind::Shape, path.display(), message))
        }
        None => Ok(params),
    }
}

/// Errors: values that no run saves.
fn check_finite(path: &Path, name: &str, data: &[f32]) -> Result<()> {
    if data.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let message =
        format!("`{name}` has values that are infinite or NaN: the file is damaged; bring back a copy, or train anew");
    Err(Error::new(ErrorKind::BadFile, path.display(), message))
}

fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    let value = |b: &[u8]| f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
    (dtype == Dtype::F32).then(|| bytes.chunks_exact(4).map(value).collect())
}
