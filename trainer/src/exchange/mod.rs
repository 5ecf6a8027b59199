//! Trained networks to and from other tools: PyTorch's parameters, ONNX files.

mod layout;
mod names;
pub mod onnx;
mod order;
mod pytorch;
#[cfg(test)]
mod tests;

pub use pytorch::{load, load_all_but, save};
