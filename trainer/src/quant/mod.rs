//! From a trained float graph to an int8 blob: observe, fold, lower, plan memory, write; and the blob on the host.
//!
//! [`quantize()`] lowers the evaluation graph to a [`Program`](program::Program) of the core's operators, observes the
//! ranges of its values on calibration frames, rounds weights and biases, plans the arena and writes the blob.
//! [`Int8Predictor`] runs it, [`layer_errors`] says where precision is lost, [`inspect_blob`] what it costs.

mod arrays;
mod choose;
mod equalize;
mod histogram;
mod inspect;
mod layers;
mod lower;
mod lowering;
mod memory;
mod observe;
mod plan;
mod predict;
pub mod program;
pub mod qat;
mod quantize;
mod scale;
mod sensitivity;
mod sequences;
mod sides;
pub mod sources;
#[cfg(test)]
mod tests;

pub use arrays::{Written, run_files, run_files_by};
pub use choose::Trial;
pub use inspect::{InspectedLayer, Inspection, inspect_blob, inspect_network};
pub use layers::{LayerError, comparable, layer_errors};
pub use memory::{arena_lower_bound, assemble};
pub use observe::{Inputs, Observer, Recorded, spread};
pub use plan::{Plan, Request, plan};
pub use predict::{Int8Predictor, for_this_machine, load, read_blob, sample_shape};
pub use program::{FloatGraph, Given};
pub use quantize::{QuantizeOptions, Quantized, quantize, quantize_aware, quantize_graph};
pub use scale::Quantization;
pub use sensitivity::{Effect, LayerSensitivity, Sensitivity, sensitivity};
pub use sides::Sides;
