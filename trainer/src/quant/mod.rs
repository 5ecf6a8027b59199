//! From a trained float graph to an int8 blob: observe, fold, lower, plan memory, write.

mod memory;
mod plan;
mod predict;
mod scale;

pub use memory::{arena_plan, assemble};
pub use plan::{Plan, Request, plan};
pub use predict::{Int8Predictions, Int8Predictor, load, predict_all, read_blob, run_npy};
pub use scale::Quantization;
