//! See `ackermann_tests::fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ackermann_tests::fuzz::run("samples", bytes));
