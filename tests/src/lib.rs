//! Cases that every implementation of an operator must pass, the oracle that says what is right, what is fuzzed, and where networks from elsewhere lie.

#[cfg(feature = "importers")]
pub mod archive;
pub mod cases;
pub mod fuzz;
pub mod oracle;
#[cfg(feature = "importers")]
pub mod shared;
