//! The control loop of a car that steers by camera: frames in, servo duty out, a safe state for everything else.
//!
//! Knows no chip: boards bring the transport, the PWM pin and the clock.
#![cfg_attr(not(test), no_std)]

pub mod preprocess;
