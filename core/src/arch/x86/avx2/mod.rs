//! AVX2: activations and weights are widened to 16 bits, and VPMADDWD adds their products in pairs.
#![allow(unsafe_code)]

pub(super) mod add;
pub(super) mod depthwise;
pub(super) mod product;
mod requantize;
