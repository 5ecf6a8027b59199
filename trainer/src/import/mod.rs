//! Networks from foreign files.
//!
//! Files come from anywhere: readers here check everything they touch, and refuse what they do not know by name. Each format
//! is a function from bytes to an [`Imported`] network: int8 networks keep their arithmetic, float networks become a graph of
//! ours, which calibration inputs quantize ([`Imported::quantize`]).

mod builder;
mod calibration;
mod flatbuffer;
mod onnx;
mod protobuf;
mod tflite;

use std::path::Path;

use ackermann_core::blob::write::Network;
use ackermann_core::blob::{AlignedBytes, keys};

pub use calibration::Arrays;
pub use onnx::read_onnx;
pub use tflite::{DenseRounding, ImportOptions, convert_tflite, import_tflite, read_tflite};

use crate::quant::{FloatGraph, Inputs, Observer, assemble, quantize_graph};
use crate::{Error, ErrorKind, Result};

/// A network as its file has it.
#[derive(Debug)]
pub enum Imported {
    /// Quantized: nothing is left to choose.
    Int8(Network),
    /// Float, or partly quantized.
    Float(Box<FloatGraph>),
}

impl Imported {
    /// The quantized network; `samples` calibrate what the file does not say.
    ///
    /// # Errors
    /// An operator that the core cannot do, values that are not finite, ranges that are neither in the file nor in samples.
    pub fn quantize(self, samples: Option<&dyn Inputs>, observer: Observer) -> Result<Network> {
        match self {
            Self::Int8(network) => Ok(network),
            Self::Float(float) => quantize_graph(&float, samples, observer),
        }
    }
}

/// Reads the file `path`, whose ending names its format.
///
/// # Errors
/// One that names the file and the operator, tensor or byte.
pub fn read(path: &Path, options: &ImportOptions) -> Result<Imported> {
    let reader = match path.extension().and_then(|extension| extension.to_str()) {
        Some("tflite") => read_tflite,
        Some("onnx") => |bytes: &[u8], _: &ImportOptions| read_onnx(bytes),
        _ => {
            let message = "is neither a .tflite nor an .onnx file, the foreign formats that are read";
            return Err(Error::new(ErrorKind::BadFile, path.display(), message));
        }
    };
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    reader(&bytes, options).map_err(|error| within(path.display(), error))
}

/// The blob of an imported network, weights in natural order, arena planned, with the file's name as its own.
///
/// # Errors
/// What the writer or the loader refuses.
pub fn blob(mut network: Network, path: &Path) -> Result<AlignedBytes> {
    let name = path.file_stem().map_or(String::from("imported"), |stem| stem.to_string_lossy().into_owned());
    network.metadata.push((keys::NETWORK.into(), name));
    assemble(&mut network).map_err(|error| within(path.display(), error))
}

/// A file that is whole but cannot be used.
fn unusable(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::BadFile, "", message)
}

/// A file in which something is wrong at byte `at`.
fn broken(at: usize, what: &str) -> Error {
    unusable(format!("{what} at byte {at}; the file is damaged or was cut"))
}

/// `error`, found in `place`.
fn within(place: impl std::fmt::Display, error: Error) -> Error {
    let place = if error.place.is_empty() { place.to_string() } else { format!("{place}, {}", error.place) };
    Error { place, ..error }
}

/// A file made by a test is the fuzzer's seed `name` of `target` (with `ACKERMANN_WRITE_SEEDS` set it is written).
#[cfg(test)]
fn is_seed(target: &str, name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(target).join(name);
    if std::env::var_os("ACKERMANN_WRITE_SEEDS").is_some() {
        crate::files::write(&path, bytes).unwrap();
    }
    let committed = std::fs::read(&path).unwrap_or_default();
    assert!(committed == bytes, "{target}/{name} is stale: run with ACKERMANN_WRITE_SEEDS=1");
}
