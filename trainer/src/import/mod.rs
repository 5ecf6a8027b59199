//! Networks from foreign files.
//!
//! Files come from anywhere: readers here check everything they touch, and refuse what they do not know by name.

mod flatbuffer;
mod tflite;

pub use tflite::{DenseRounding, ImportOptions, convert_tflite, import_tflite};
