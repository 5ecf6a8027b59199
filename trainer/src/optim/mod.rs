//! What turns gradients into better parameters: rules of an update, learning-rate schedules, clipping, averages.
//!
//! Each rule is a file with its formula and source, and equals PyTorch's of the same name and defaults. An [`Optimizer`]
//! applies one [`Method`] to some parameters by name; several share one [`crate::graph::Params`], as a GAN needs.

mod adam;
mod clip;
mod ema;
mod method;
mod optimizer;
mod rmsprop;
mod schedule;
mod sgd;
mod slope;

#[cfg(test)]
mod tests;

pub use clip::Clip;
pub use ema::Ema;
pub use method::Method;
pub use optimizer::Optimizer;
pub use schedule::{Schedule, Timetable};
