//! Recorded driving: readers for the formats people have, labels, resizing, augmentation, batches.

mod samples;

pub use samples::{FrameSet, Samples};
