//! Cases that every implementation of an operator must pass, the oracle that says what is right, and what is fuzzed.

pub mod cases;
pub mod fuzz;
pub mod oracle;
