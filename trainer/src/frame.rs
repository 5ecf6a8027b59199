//! A camera frame, the thing that simulator, data readers, network and link all speak of.

/// An RGB camera frame: `height x width x 3` bytes, row-major, interleaved (HWC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width * 3` bytes, R, G, B.
    pub rgb: Vec<u8>,
}

impl Frame {
    /// A black frame.
    pub fn black(height: usize, width: usize) -> Self {
        Self { height, width, rgb: vec![0; height * width * 3] }
    }
}
