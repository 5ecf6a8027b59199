//! Recorded driving: readers for the formats people have, labels, resizing, augmentation, metrics, arrays.
//!
//! In the order that data takes: [`load`] finds out what a folder holds ([`Format`]), a reader lists its [`Record`]s, the
//! frames are decoded and resized by the very code that the board runs, and [`Augmented`] turns them into training samples.

mod augment;
mod formats;
mod image;
mod load;
mod options;
mod record;
mod samples;
mod split;
mod table;

pub mod metrics;
pub mod npy;
pub mod npz;

pub use augment::{Augment, Augmented, Shadow};
pub use formats::Format;
pub use image::decode_image;
pub use load::{Loaded, Watch, load};
pub use options::{LoadOptions, Window};
pub use record::{Record, Source};
pub use samples::{FrameSet, Samples, Target};

#[cfg(test)]
mod tests;
