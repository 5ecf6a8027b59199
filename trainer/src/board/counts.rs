//! Exact counts: how often each instruction of a board's program ran, from one mark to the next.
//!
//! QEMU calls a plugin (`boards/counter`) for every instruction; the program marks where its clock is read. The plugin is built when
//! somebody wants to count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::image::{cargo, library, repository};
use crate::{Error, Result};

/// How often an instruction ran, and how often a jump followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How often it ran.
    pub runs: u64,
    /// How often the next instruction to run was not the next in memory.
    pub jumps: u64,
}

/// What ran between two marks, by address.
pub type Interval = BTreeMap<u64, Count>;

/// Builds the plugin if it is not there yet; returns its path.
pub fn counter() -> Result<PathBuf> {
    let mut command = cargo(&repository()?);
    command.args(["build", "--quiet", "--package", "ackermann-counter"]);
    library(command, "ackermann-counter")
}

/// Instructions that ran.
pub fn instructions(interval: &Interval) -> u64 {
    interval.values().map(|count| count.runs).sum()
}

/// The intervals that the plugin wrote so far.
pub fn read(path: &Path) -> Result<Vec<Interval>> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    Ok(parse(&bytes))
}

/// Intervals up to one that is not whole.
fn parse(mut bytes: &[u8]) -> Vec<Interval> {
    let mut intervals = Vec::new();
    while let Some((entries, rest)) = bytes.split_first_chunk() {
        let length = u32::from_le_bytes(*entries) as usize * 24;
        let Some((content, rest)) = rest.split_at_checked(length) else { break };
        let entries = content.chunks_exact(24).filter_map(|entry| {
            let word = |at: usize| entry.get(at..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk));
            Some((word(0)?, Count { runs: word(8)?, jumps: word(16)? }))
        });
        intervals.push(entries.collect());
        bytes = rest;
    }
    intervals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_up_to_the_last_whole_one() {
        let mut bytes = Vec::new();
        for entries in [&[[0x100u64, 3, 1], [0x102, 2, 0]][..], &[], &[[0x200, 9, 9]]] {
            bytes.extend((entries.len() as u32).to_le_bytes());
            bytes.extend(entries.iter().flatten().flat_map(|word| word.to_le_bytes()));
        }
        let intervals = parse(&bytes);
        assert_eq!(intervals.len(), 3);
        assert_eq!(intervals[0][&0x100], Count { runs: 3, jumps: 1 });
        assert_eq!(intervals.iter().map(instructions).collect::<Vec<_>>(), [5, 0, 9]);
        assert_eq!(parse(&bytes[..bytes.len() - 1]), intervals[..2]);
    }
}
