//! int8 neural-network inference without heap, operating system or floating point.
//!
//! The way in is a blob: [`blob`] describes the bytes, a model is the blob validated once and completely,
//! a session runs it over a caller's arena.
#![cfg_attr(not(any(test, feature = "writer")), no_std)]

pub mod blob;
