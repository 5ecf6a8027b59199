//! Pictures that stay files: each is decoded when a batch asks for it, while the network trains on the batch before. For data that memory
//! does not hold.

use std::fmt;
use std::sync::{Arc, Mutex};

use crate::{Error, Result};

/// Decodes picture `index` into its bytes, HWC.
type Decode = dyn Fn(usize, &mut [u8]) -> Result<()> + Send + Sync;

/// Pictures of one size that are decoded on demand.
#[derive(Clone)]
pub struct Streamed {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// Whether they are frames of recorded driving; else pictures of classes.
    pub driving: bool,
    decode: Arc<Decode>,
    /// The earliest picture that could not be decoded, and why.
    failure: Arc<Mutex<Option<(usize, Error)>>>,
}

impl Streamed {
    /// Pictures of `shape` that `decode` makes. Errors when the first one cannot be made, which is tried at once.
    pub fn new(
        shape: [usize; 3],
        driving: bool,
        decode: impl Fn(usize, &mut [u8]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        decode(0, &mut vec![0; shape.iter().product()])?;
        Ok(Self { shape, driving, decode: Arc::new(decode), failure: Arc::default() })
    }

    /// Hands the bytes of picture `index` to `use_bytes`: zeros when it cannot be decoded, which [`Streamed::failure`] tells afterwards.
    pub fn with<R>(&self, index: usize, use_bytes: impl FnOnce(&[u8]) -> R) -> R {
        let mut bytes = vec![0; self.shape.iter().product()];
        if let Err(error) = (self.decode)(index, &mut bytes)
            && let Ok(mut first) = self.failure.lock()
            && first.as_ref().is_none_or(|(earlier, _)| index < *earlier)
        {
            *first = Some((index, error));
        }
        use_bytes(&bytes)
    }

    /// Why the earliest of the pictures asked for so far could not be decoded.
    pub fn failure(&self) -> Option<Error> {
        self.failure.lock().ok()?.as_ref().map(|(_, error)| error.clone())
    }
}

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").field("shape", &self.shape).field("driving", &self.driving).finish_non_exhaustive()
    }
}
