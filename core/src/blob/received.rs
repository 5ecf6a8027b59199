//! All that can be checked of a blob that comes from elsewhere.

use super::verify_checksum;
use crate::{LoadError, Model};

/// The model of a blob that has just arrived, in a file or over a link: it is the one that was written, it loads, and its weights are
/// in order. Where it is used again and again, [`Model::load`] is enough.
///
/// # Errors
/// What [`verify_checksum`], [`Model::load`] and [`Model::verify_weights`] refuse.
pub fn received(blob: &[u8]) -> Result<Model<'_>, LoadError> {
    verify_checksum(blob)?;
    let model = Model::load(blob)?;
    model.verify_weights()?;
    Ok(model)
}
