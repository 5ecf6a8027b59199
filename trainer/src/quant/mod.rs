//! From a trained float graph to an int8 blob: observe, fold, lower, plan memory, write.

mod memory;
mod plan;
mod scale;

pub use memory::{arena_plan, assemble};
pub use plan::{Plan, Request, plan};
pub use scale::Quantization;
