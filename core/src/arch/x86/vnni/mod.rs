//! AVX-512 VNNI: VPDPBUSD adds four products of unsigned and signed bytes to each of 16 sums.
//!
//! Activations become unsigned by adding 128 (one XOR); what that adds to a sum is taken from its start.
#![allow(unsafe_code)]

pub(super) mod add;
pub(super) mod depthwise;
pub(super) mod product;
mod requantize;
