//! What networks are trained on: readers for the layouts people have, labels, augmentation, metrics, arrays.
//!
//! [`Format::detect`] finds out what a folder holds. Recorded driving: [`load`] lists its [`Record`]s, the frames are decoded and resized by
//! the very code that the board runs, and [`Augmented`] turns them into samples. Everything else (pictures, sounds, texts, arrays with a
//! class or numbers each) is read by [`read`] into a [`Dataset`], whose [`Encoding`] keeps the numbers of classes and words for later.

mod augment;
mod classes;
mod dataset;
mod encoding;
mod formats;
mod image;
mod labelled;
mod load;
mod mel;
mod options;
mod record;
mod samples;
mod sequences;
mod sounds;
mod split;
mod streamed;
mod table;
mod tables;
mod texts;
mod vocabulary;
mod warp;

pub mod metrics;
pub mod npy;
pub mod npz;

pub use augment::{Augment, Augmented, Shadow};
pub use classes::Classes;
pub use dataset::{Changes, Content, Dataset, DatasetSamples, Numbers};
pub use encoding::Encoding;
pub use formats::Format;
pub use image::decode_image;
pub use labelled::{ReadOptions, read};
pub use load::{Loaded, Watch, load, stream};
pub use mel::{BANDS, FRAMES, LogMel};
pub use options::{LoadOptions, Window};
pub use record::{Record, Source};
pub use samples::{FrameSet, Samples, Target};
pub use sequences::Sequences;
pub use sounds::{SoundChange, Sounds};
pub use streamed::Streamed;
pub use texts::{TextChange, Texts};
pub use vocabulary::{Extras, Vocabulary};
pub use warp::{Pictures, Warp};

#[cfg(test)]
mod tests;
