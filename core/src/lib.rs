//! int8 neural-network inference without heap, operating system or floating point.
//!
//! In the order the data flows:
//!
//! - [`blob`]: the bytes that carry a network from the trainer to a board (and, for hosts, their writer);
//! - [`Model`]: a blob checked once and completely, so that nothing can fail afterwards;
//! - [`Session`]: runs a model over memory that the caller owns, the arena;
//! - [`ops`]: one folder per operator, each with its formula, its plain reference and its fast versions;
//! - [`quantized`]: the one place of each rounding;
//! - [`arch`]: instructions that Rust cannot spell, with exact emulation everywhere else.
//!
//! ```
//! # fn steer(bytes: &[u8], arena: &mut [u8], pixels: &[i8]) -> Option<i8> {
//! let model = ackermann_core::Model::load(bytes).ok()?;
//! let mut session = ackermann_core::Session::new(model, arena).ok()?;
//! session.input_mut(0)?.copy_from_slice(pixels);
//! session.run();
//! session.output(0)?.first().copied()
//! # }
//! ```
#![cfg_attr(not(any(test, feature = "writer")), no_std)]

#[cfg(target_endian = "big")]
compile_error!("blobs are read in place and are little-endian: big-endian targets are not supported");

pub mod arch;
pub mod blob;
mod error;
mod feature;
mod model;
pub mod ops;
mod pair;
pub mod quantized;
mod session;

pub use error::{LoadError, SessionError};
pub use feature::Feature;
pub use model::{Model, Step};
pub use pair::Pair;
pub use session::{Arena, InOut, Session};
