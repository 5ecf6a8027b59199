//! From a trained float graph to an int8 blob: observe, fold, lower, plan memory, write; and the blob on the host.
//!
//! [`quantize()`] lowers the evaluation graph to a [`Program`](program::Program) of the core's operators, observes the
//! ranges of its values on calibration frames, rounds weights and biases, plans the arena and writes the blob.
//! [`Int8Predictor`] runs it, [`layer_errors`] says where precision is lost, [`inspect_blob`] what it costs.

mod arrays;
mod inspect;
mod layers;
mod lower;
mod lowering;
mod memory;
mod observe;
mod plan;
mod predict;
pub mod program;
mod quantize;
mod scale;
#[cfg(test)]
mod tests;

pub use arrays::{Written, run_files, run_files_by};
pub use inspect::{InspectedLayer, Inspection, inspect_blob, inspect_network};
pub use layers::{LayerError, layer_errors};
pub use memory::{arena_lower_bound, assemble};
pub use observe::{Frames, Ranges, Samples, spread};
pub use plan::{Plan, Request, plan};
pub use predict::{Int8Predictor, for_this_machine, load, read_blob};
pub use program::{FloatGraph, Given};
pub use quantize::{QuantizeOptions, Quantized, quantize, quantize_graph};
pub use scale::Quantization;
