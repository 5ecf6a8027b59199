//! Which frames may be steered by: newer than the last, young enough, and not the same picture for ever.

use super::Config;
use crate::link::Status;

/// The checks of a frame against those before it.
#[derive(Debug)]
pub struct Gate {
    /// Sequence number of the last frame that was let through.
    last: Option<u32>,
    /// The newest host time seen in any message, microseconds.
    host_us: Option<u64>,
    fingerprint: u32,
    repeats: u8,
}

impl Gate {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self { last: None, host_us: None, fingerprint: 0, repeats: 0 }
    }

    /// A message of host time `time_us` arrived: how much newer than all before it is, microseconds.
    pub fn advance(&mut self, time_us: u64) -> u64 {
        let newest = self.host_us.unwrap_or(time_us).max(time_us);
        let elapsed = newest.saturating_sub(self.host_us.unwrap_or(newest));
        self.host_us = Some(newest);
        elapsed
    }

    /// Order and age: the sequence number must advance (it may wrap), and the frame must not be older than `max_age_us` against the
    /// newest time the host has told.
    pub fn admit(&mut self, sequence: u32, time_us: u64, config: &Config) -> Result<(), Status> {
        let advanced = self.last.is_none_or(|last| matches!(sequence.wrapping_sub(last), 1..=0x7fff_ffff));
        if !advanced {
            return Err(Status::Repeated);
        }
        self.last = Some(sequence);
        let age = self.host_us.unwrap_or(time_us).saturating_sub(time_us);
        if age > config.max_age_us { Err(Status::Late) } else { Ok(()) }
    }

    /// Counts equal pictures in a row; a live camera's noise never lets two be equal for long.
    pub fn moving(&mut self, input: &[i8], config: &Config) -> Result<(), Status> {
        let fingerprint = fingerprint(input);
        self.repeats = if fingerprint == self.fingerprint { self.repeats.saturating_add(1) } else { 0 };
        self.fingerprint = fingerprint;
        if self.repeats >= config.frozen_after { Err(Status::Frozen) } else { Ok(()) }
    }
}

/// FNV-1a over 32-bit words: one multiplication per four pixels.
fn fingerprint(input: &[i8]) -> u32 {
    let mix = |hash: u32, word: u32| (hash ^ word).wrapping_mul(0x0100_0193).rotate_left(5);
    let (words, tail) = input.as_chunks::<4>();
    let hash = words.iter().fold(0x811c_9dc5, |hash, word| mix(hash, u32::from_le_bytes(word.map(|byte| byte as u8))));
    tail.iter().fold(hash, |hash, &byte| mix(hash, u32::from(byte as u8)))
}
