//! Trains, quantizes and exports networks for `ackermann-core`, and drives boards with them.
//!
//! Modules in data-flow order: frames come from [`data`] or [`sim`], a network from [`nn`] is a [`graph`] of [`ops`],
//! [`train`] fits it with an [`optim`]izer and [`search`] finds the settings for it ([`exchange`] takes it to other tools), [`quant`] turns
//! it into a blob ([`import`] makes one from a foreign file), [`board`] flashes and drives a board with it, [`report`] shows how well it
//! went; [`cli`] is the command line over all of it.

pub mod error;
pub mod files;
pub mod frame;

pub mod data;
pub mod sim;

pub mod graph;
pub mod nn;
pub mod ops;
pub mod optim;
pub mod search;
pub mod train;

pub mod exchange;
pub mod import;
pub mod quant;

pub mod board;

pub mod cli;
pub mod report;

pub use error::{Error, ErrorKind, Result};
pub use frame::Frame;
