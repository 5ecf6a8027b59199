//! Everything that parses, fed with anything.
//!
//! A target takes any bytes and panics when a promise is broken. `tests/fuzz` has libFuzzer invent the bytes (nightly Rust);
//! `tests/tests/seeds.rs` replays the committed ones on every toolchain.

#[cfg(feature = "importers")]
mod files;
mod link;
mod loader;
#[cfg(feature = "importers")]
mod samples;
pub mod seeds;

/// A promise about all bytes.
pub type Target = fn(&[u8]);

/// The targets by name; each has a folder of seeds, `tests/fuzz/seeds/NAME`.
pub const TARGETS: &[(&str, Target)] = &[
    ("loader", loader::any),
    ("link", link::any),
    #[cfg(feature = "importers")]
    ("tflite", files::tflite),
    #[cfg(feature = "importers")]
    ("onnx", files::onnx),
    #[cfg(feature = "importers")]
    ("arrays", files::arrays),
    #[cfg(feature = "importers")]
    ("samples", samples::any),
];

/// Runs the target `name`.
///
/// # Panics
/// When the promise is broken, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    target(bytes);
}
