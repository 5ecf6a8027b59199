//! Optimizers and learning-rate schedules.

mod optimizer;
mod schedule;

#[cfg(test)]
mod tests;

pub use optimizer::{Method, Optimizer, gradient_norm};
pub use schedule::Schedule;
