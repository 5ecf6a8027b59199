//! Quantization-aware training: the network is trained in the arithmetic that it will run in.
//!
//! [`FakeQuantized`] is the graph: each layer's value is what the core computes from the layer's rounded inputs, weights and biases
//! ([`Int8Layer`], the core's own operator), and its derivative that of the float layer, straight through the rounding. The ranges are
//! parameters too. [`fine_tune`] trains it; the blob that follows gives the same bytes as the graph, layer by layer.

mod fine_tune;
mod graph;
mod layer;
#[cfg(test)]
mod tests;
mod tuner;

pub(super) use fine_tune::check;
pub use fine_tune::{FineTuneOptions, Tuned, fine_tune, trainable};
pub use graph::{FACTORS, FakeQuantized, Purpose, int8};
pub use layer::Int8Layer;
