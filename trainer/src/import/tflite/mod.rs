//! TFLite files.
//!
//! int8 networks (full-integer quantization) give the same bytes as TFLite's reference kernels: the arithmetic is already the
//! core's, so nothing is calibrated or changed (`convert`). Float and uint8 QUANTIZE and DEQUANTIZE at the edges are left out, their
//! int8 sides become the network's input and output. Other networks become a float graph (`float`).

mod convert;
mod float;
#[cfg(test)]
mod made;
mod names;
#[cfg(test)]
mod old;
mod part;
mod schema;
#[cfg(test)]
mod tests;

use std::path::Path;

use ackermann_core::blob::write::Network;
use ackermann_core::blob::{AlignedBytes, Rounding};
use serde::{Deserialize, Serialize};

use crate::import::Imported;
use crate::{Error, Result};

/// How a TFLite file is read, where TFLite's own kernels differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    /// Rounding of FULLY_CONNECTED; TANH and LOGISTIC by fixed point (double) or by a table of floats (single).
    pub rounding: DenseRounding,
}

/// The rounding of FULLY_CONNECTED. CONV_2D always rounds twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DenseRounding {
    /// Twice, as TFLite Micro, CMSIS-NN and gemmlowp do.
    #[default]
    Double,
    /// Once, as LiteRT's reference kernel does.
    Single,
}

impl From<DenseRounding> for Rounding {
    fn from(rounding: DenseRounding) -> Self {
        match rounding {
            DenseRounding::Double => Self::Double,
            DenseRounding::Single => Self::Single,
        }
    }
}

/// Reads the TFLite file `path`, an int8 network, and makes a blob of it, weights in natural order, arena planned.
///
/// # Errors
/// One that names the file and the operator or tensor: a damaged file, an operator that is not supported, a float network.
pub fn import_tflite(path: &Path, options: &ImportOptions) -> Result<AlignedBytes> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let network = convert_tflite(&bytes, options).map_err(|error| schema::within(path.display(), error))?;
    crate::import::blob(network, path)
}

/// The int8 network in the bytes of a TFLite file, its memory not planned yet.
///
/// # Errors
/// See [`import_tflite`].
pub fn convert_tflite(bytes: &[u8], options: &ImportOptions) -> Result<Network> {
    convert::network(&schema::File::read(bytes)?, options)
}

/// The network in the bytes of a TFLite file: as it is where its operators work on int8, a float graph otherwise.
///
/// # Errors
/// A damaged file, an operator that is not supported.
pub fn read_tflite(bytes: &[u8], options: &ImportOptions) -> Result<Imported> {
    let file = schema::File::read(bytes)?;
    if convert::is_int8(&file)? {
        return convert::network(&file, options).map(Imported::Int8);
    }
    float::graph(&file).map(|graph| Imported::Float(Box::new(graph)))
}
