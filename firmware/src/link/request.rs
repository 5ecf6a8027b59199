//! What a host asks; each body is read and written here, beside its definition, for both sides of the link.

use heapless::Vec;

use super::{Fields, Put, Status};

/// What a host asks of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// Who are you? Answered by `Hello`.
    Hello,
    /// The host's clock in microseconds, without a frame. Answered by `Pong`.
    Tick {
        /// Host time, microseconds since any fixed moment.
        time_us: u64,
    },
    /// A camera frame to steer by. Answered by `Reply`.
    Frame {
        /// Host time when the frame was taken, microseconds.
        time_us: u64,
        /// Rows.
        height: u16,
        /// Columns.
        width: u16,
        /// `height * width * 3` bytes, R, G, B, row-major.
        rgb: &'a [u8],
    },
    /// What was measured so far. Answered by `Info`.
    Info,
    /// Run the model once on zeros and count. Answered by `Bench`.
    Bench,
    /// A piece of a blob for the model slot. Answered by `Loaded`.
    Load {
        /// Length of the whole blob, bytes.
        total: u32,
        /// Where this piece begins; 0 starts anew.
        offset: u32,
        /// The piece.
        bytes: &'a [u8],
    },
    /// A piece of the bytes of the model's inputs, one after another; the last one runs the model. Answered by `Ran`.
    Run {
        /// Whether states forget first.
        reset: bool,
        /// Where this piece begins; 0 starts anew.
        offset: u32,
        /// The piece.
        bytes: &'a [u8],
    },
    /// The bytes of the model's outputs, one after another. Answered by `Output`.
    Output {
        /// The first byte wanted.
        offset: u32,
    },
}

impl<'a> Request<'a> {
    /// Reads a request, or says why it is none.
    pub fn read(kind: u8, body: &'a [u8]) -> Result<Self, Status> {
        let mut fields = Fields::new(body);
        let request = match kind {
            1 => Some(Self::Hello),
            2 => fields.u64().map(|time_us| Self::Tick { time_us }),
            3 => Self::read_frame(&mut fields),
            4 => Some(Self::Info),
            5 => Some(Self::Bench),
            6 => Self::read_load(&mut fields),
            7 => Self::read_run(&mut fields),
            8 => fields.u32().map(|offset| Self::Output { offset }),
            _ => return Err(Status::UnknownKind),
        };
        request.filter(|_| fields.is_empty()).ok_or(Status::BadBody)
    }

    fn read_frame(fields: &mut Fields<'a>) -> Option<Self> {
        let (time_us, height, width) = (fields.u64()?, fields.u16()?, fields.u16()?);
        let rgb = fields.rest();
        let length = usize::from(height).checked_mul(usize::from(width))?.checked_mul(3)?;
        (rgb.len() == length).then_some(Self::Frame { time_us, height, width, rgb })
    }

    fn read_load(fields: &mut Fields<'a>) -> Option<Self> {
        let (total, offset) = (fields.u32()?, fields.u32()?);
        Some(Self::Load { total, offset, bytes: fields.rest() })
    }

    fn read_run(fields: &mut Fields<'a>) -> Option<Self> {
        let reset = match fields.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self::Run { reset, offset: fields.u32()?, bytes: fields.rest() })
    }

    /// The number of this kind of message.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::Tick { .. } => 2,
            Self::Frame { .. } => 3,
            Self::Info => 4,
            Self::Bench => 5,
            Self::Load { .. } => 6,
            Self::Run { .. } => 7,
            Self::Output { .. } => 8,
        }
    }

    /// The fields before the bulk data, and the bulk data (empty where a request has none).
    pub fn parts(&self) -> (Vec<u8, 16>, &'a [u8]) {
        let mut head = Vec::new();
        // 16 bytes hold the fields of every request.
        let bulk: &[u8] = match *self {
            Self::Hello | Self::Info | Self::Bench => &[],
            Self::Tick { time_us } => {
                let _ = head.put(&time_us.to_le_bytes());
                &[]
            }
            Self::Frame { time_us, height, width, rgb } => {
                let _ = head.put(&time_us.to_le_bytes());
                let _ = head.put(&height.to_le_bytes());
                let _ = head.put(&width.to_le_bytes());
                rgb
            }
            Self::Load { total, offset, bytes } => {
                let _ = head.put(&total.to_le_bytes());
                let _ = head.put(&offset.to_le_bytes());
                bytes
            }
            Self::Run { reset, offset, bytes } => {
                let _ = head.put(&[u8::from(reset)]);
                let _ = head.put(&offset.to_le_bytes());
                bytes
            }
            Self::Output { offset } => {
                let _ = head.put(&offset.to_le_bytes());
                &[]
            }
        };
        (head, bulk)
    }
}
