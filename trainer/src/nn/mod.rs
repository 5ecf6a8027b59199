//! Networks and the layers they are written in.
//!
//! A [`Network`] is a list of [`Layer`]s. The same list gives the training graph (dropout, batch statistics) and the
//! evaluation graph (running statistics), and its parameters are named as PyTorch would name them.

mod adapt;
mod build;
mod dropout;
mod freeze;
mod head;
mod init;
mod layer;
mod limits;
mod make;
pub mod modules;
mod network;
mod stream;
mod summary;
mod zoo;

#[cfg(test)]
mod tests;

pub(crate) use adapt::shape_for;
pub use freeze::Freeze;
pub use init::{Initializer, Role};
pub use layer::Layer;
pub(crate) use layer::{named, path};
pub use network::{Built, InputKind, Mode, Network, RunningStats};
pub use stream::Stream;
pub use summary::LayerSummary;
pub use zoo::{by_name, names};
