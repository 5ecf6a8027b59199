//! The control loop of a car that steers by camera: frames in, servo duty out, a safe state for everything else.
//!
//! Knows no chip: boards bring the transport, the PWM pins and the clock. In data-flow order: [`link`] carries the frame in,
//! [`preprocess`] shapes it, [`network`] runs the model, [`control`] decides, [`servo`] moves the wheels; [`serve()`] ties them to the
//! model slots.
#![cfg_attr(not(test), no_std)]

pub mod clock;
pub mod control;
pub mod link;
pub mod network;
pub mod preprocess;
pub mod serve;
pub mod servo;

pub use clock::Clock;
pub use control::{Config, ControlLoop};
pub use serve::serve;
