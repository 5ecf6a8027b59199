//! Train and validation parts of a recording that has none of its own.
//!
//! Neighbouring frames are almost the same picture, so frames are not dealt out one by one: the recording is cut into
//! blocks of consecutive frames (a tenth of it, at most [`LONGEST_BLOCK`]), every fifth block is validation, and a gap at
//! both ends of a validation block belongs to neither part. It depends on the number of frames alone.

use std::path::Path;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Error, ErrorKind, Result};

/// Longest block, frames: about 10 s of a usual recording.
const LONGEST_BLOCK: usize = 150;
/// Every how many blocks one is validation.
const PERIOD: usize = 5;
/// Longest gap, frames: about 1 s.
const LONGEST_GAP: usize = 15;
/// Seed of the order in which independent samples are dealt out.
const DEAL: u64 = 0x5eed;

/// Which of `0..len` are in `split`: `train`, `val` (a fifth), or all with `None`, where samples do not depend on each other: dealt out by a
/// fixed seed, in rising order.
///
/// # Errors
/// Another name, or too few samples to have that part.
pub fn deal(folder: &Path, len: usize, split: Option<&str>) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(DEAL));
    let validation = len / PERIOD;
    let mut chosen = match split {
        None => order,
        Some("val") => order[..validation].to_vec(),
        Some("train") => order[validation..].to_vec(),
        Some(other) => {
            let message =
                format!("has no split `{other}`: it has no splits of its own, `train` and `val` are dealt out of it");
            return Err(Error::new(ErrorKind::MissingFile, folder.display(), message));
        }
    };
    if chosen.is_empty() {
        let message = format!("holds {len} samples, which is too few for a part `{}`", split.unwrap_or("all"));
        return Err(Error::new(ErrorKind::BadFile, folder.display(), message));
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// Which of `0..len` are in `split`: `train`, `val`, or all with `None`.
///
/// # Errors
/// Another name, or a recording too short to have that part.
pub fn derive(folder: &Path, len: usize, split: Option<&str>) -> Result<Vec<usize>> {
    let block = (len / (2 * PERIOD)).clamp(1, LONGEST_BLOCK);
    let gap = (block / 5).min(LONGEST_GAP);
    let validation = |index: usize| index / block % PERIOD == PERIOD - 1;
    let near_validation = |index: usize| validation(index + gap) || validation(index.saturating_sub(gap));
    let chosen: Vec<usize> = match split {
        None => (0..len).collect(),
        Some("train") => (0..len).filter(|&i| !validation(i) && !near_validation(i)).collect(),
        Some("val") => (0..len).filter(|&i| validation(i)).collect(),
        Some(other) => {
            let message =
                format!("has no split `{other}`: it is one recording, of which `train` and `val` are derived");
            return Err(Error::new(ErrorKind::Usage, folder.display(), message));
        }
    };
    if chosen.is_empty() {
        let part = split.map_or(String::from("it"), |name| format!("its `{name}` part"));
        let message = format!("holds {len} frames, {part} would be empty; record more or leave the split out");
        return Err(Error::new(ErrorKind::BadFile, folder.display(), message));
    }
    Ok(chosen)
}
