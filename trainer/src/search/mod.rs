//! Search for settings: which learning rate, which network, how much dropout.
//!
//! A [`Space`] says which values each setting may take, a [`Strategy`] which to try next: at random, by successive halving
//! (many short trials, of which the best go on), or by TPE (where good trials were dense and bad ones were not). [`search`]
//! asks a [`Trainer`] to run each trial and keeps the results in a table on disk after every one. A choice depends on the
//! seed, the number of the trial and the results before it only, so that a search that was killed goes on to the same
//! trials: what the table holds is not run again.

mod halving;
mod plot;
mod runner;
mod sampler;
mod space;
mod trials;

#[cfg(test)]
mod tests;

pub use halving::Rung;
pub use plot::{report, table};
pub use runner::{Plan, Strategy, Trainer, search};
pub use space::{Domain, Parameter, Space};
pub use trials::{Failure, Outcome, Row, Trials};
