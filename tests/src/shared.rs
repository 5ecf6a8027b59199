//! Networks that were quantized elsewhere, and what TFLite's reference kernels answered: a folder beside the repository, which has no part of it.
//! Tests that need it say that they are skipped where it is not there.

use std::path::{Path, PathBuf};

use ackermann_trainer::data::npy::{self, Array};

/// An input of a network, and what one of the two reference implementations answered.
#[derive(Debug, Clone, Copy)]
pub struct Reference {
    /// The network.
    pub model: &'static str,
    /// Who answered: `tflm` (TFLite Micro, fully connected layers round twice) or `litert` (they round once).
    pub who: &'static str,
    /// The file with the answer.
    output: &'static str,
}

/// All of them.
pub const REFERENCES: [Reference; 12] = [
    // One answer, of both.
    reference("pilotnet", "tflm", "pilotnet_out_litert.npy"),
    reference("pilotnet", "litert", "pilotnet_out_litert.npy"),
    reference("ad_dense", "tflm", "ad_dense_out_tflm.npy"),
    reference("ad_dense", "litert", "ad_dense_out_litert.npy"),
    reference("kws_dscnn", "tflm", "kws_dscnn_out_tflm.npy"),
    reference("kws_dscnn", "litert", "kws_dscnn_out_litert.npy"),
    reference("vww_mobilenet", "tflm", "vww_mobilenet_out_tflm.npy"),
    reference("vww_mobilenet", "litert", "vww_mobilenet_out_litert.npy"),
    reference("ic_resnet8", "tflm", "ic_resnet8_out_tflm.npy"),
    reference("ic_resnet8", "litert", "ic_resnet8_out_litert.npy"),
    reference("mnist_lstm", "tflm", "mnist_lstm_out_tflm.npy"),
    reference("mnist_lstm", "litert", "mnist_lstm_out_litert.npy"),
];

const fn reference(model: &'static str, who: &'static str, output: &'static str) -> Reference {
    Reference { model, who, output }
}

/// The folder with the networks, or nothing and a line that says so.
pub fn models() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} not found", folder.display());
    None
}

impl Reference {
    /// The network's file in `folder`.
    pub fn network(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.tflite", self.model))
    }

    /// The file of its input in `folder`.
    pub fn input(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}_in.npy", self.model))
    }

    /// The file of the answer in `folder`.
    pub fn output(&self, folder: &Path) -> PathBuf {
        folder.join(self.output)
    }
}

/// The bytes of the int8 array in a file of NumPy's format.
///
/// # Panics
/// When it is none.
pub fn int8(path: &Path) -> Vec<u8> {
    match npy::read(path) {
        Ok(Array::I8(array)) => array.iter().map(|q| *q as u8).collect(),
        Ok(other) => panic!("{} is {}, not int8", path.display(), other.type_name()),
        Err(error) => panic!("{error}"),
    }
}
