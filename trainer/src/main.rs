//! The `ackermann` command; everything is in the library.

fn main() {}
