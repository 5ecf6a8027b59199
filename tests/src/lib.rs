//! Cases that every implementation of an operator must pass, and the oracle that says what is right.

pub mod cases;
pub mod oracle;
