//! Boards seen from the host: what there is, how an image is built and started, and how it is talked to.
//!
//! In the order of use: `registry` says what boards there are, `image` builds firmware around a blob, `qemu` boots it (its link is
//! `shared` memory) or `host` runs the same firmware in this process, `link` speaks the protocol of `docs/link.md`;
//! `session` and `bench` are what the commands use. `counts` and `cycles` say what ran and what it would take.

mod bench;
mod counts;
mod cycles;
mod elf;
mod host;
mod image;
mod link;
mod logs;
mod qemu;
mod registry;
mod session;
mod shared;
mod thumb;

pub use bench::{BenchLayer, BenchResult, bench};
pub use counts::{Count, Interval, counter, instructions};
pub use elf::Sizes;
pub use image::{Image, build_image, repository};
pub use link::{Greeting, Link, LoadOutcome, RunOutcome};
pub use logs::log_decoder;
pub use qemu::{Logs, Qemu};
pub use registry::{BOARDS, Board, HOST, Machine, Support, board};
pub use session::{BoardDriver, Steered, attached, boot, flash, ready, run};
pub use shared::SharedMemory;

#[cfg(test)]
mod tests;
