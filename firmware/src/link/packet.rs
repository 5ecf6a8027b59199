//! Packets: `kind u8, sequence u32, body, CRC-32`, COBS-encoded between two zero bytes.

use cobs::{CobsEncoder, DecodeResult, DecoderState};
use crc::{CRC_32_ISO_HDLC, Crc, Table};

use super::{Status, Transport};

const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// Kind and sequence number before the body, CRC after it.
const OVERHEAD: usize = 1 + 4 + 4;

/// A message that arrived whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it is.
    pub kind: u8,
    /// The sender's number; an answer repeats it.
    pub sequence: u32,
    /// The kind's fields.
    pub body: &'a [u8],
}

/// A message that did not arrive whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LinkError {
    /// The CRC-32 did not match.
    Corrupt,
    /// Ended before its COBS blocks did, or too short to be a message.
    Truncated,
    /// Longer than the inbox.
    TooLong,
}

impl From<LinkError> for Status {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Corrupt => Self::Corrupt,
            LinkError::Truncated => Self::Truncated,
            LinkError::TooLong => Self::TooLong,
        }
    }
}

/// Bytes that a body of `body` bytes takes on the wire, at most.
pub const fn max_encoded(body: usize) -> usize {
    2 + cobs::max_encoding_length(body + OVERHEAD)
}

/// Encodes a message into `out`, whose body is the concatenation of `parts`; returns its length on the wire, or `None` if `out`
/// is shorter than [`max_encoded`] asks for.
pub fn encode(kind: u8, sequence: u32, parts: &[&[u8]], out: &mut [u8]) -> Option<usize> {
    let (first, rest) = out.split_first_mut()?;
    *first = 0;
    let mut digest = CRC.digest();
    let mut encoder = CobsEncoder::new(rest);
    let mut push = |bytes: &[u8]| {
        digest.update(bytes);
        encoder.push(bytes).ok()
    };
    push(&[kind])?;
    push(&sequence.to_le_bytes())?;
    for part in parts {
        push(part)?;
    }
    encoder.push(&digest.finalize().to_le_bytes()).ok()?;
    let length = encoder.finalize();
    *rest.get_mut(length)? = 0;
    Some(length + 2)
}

/// Collects messages from a transport into a buffer that must hold the largest one, decoded.
#[derive(Debug)]
pub struct Inbox<'b> {
    buffer: &'b mut [u8],
    length: usize,
    decoder: DecoderState,
    /// The rest of a message that is too long is being passed over.
    skipping: bool,
    chunk: [u8; CHUNK],
    read: usize,
    filled: usize,
    /// The message in the buffer is to be given out once more.
    kept: bool,
}

const CHUNK: usize = 512;

impl<'b> Inbox<'b> {
    /// An empty inbox over `buffer`.
    pub fn new(buffer: &'b mut [u8]) -> Self {
        Self {
            buffer,
            length: 0,
            decoder: DecoderState::Idle,
            skipping: false,
            chunk: [0; CHUNK],
            read: 0,
            filled: 0,
            kept: false,
        }
    }

    /// The largest body that fits.
    pub fn capacity(&self) -> usize {
        self.buffer.len().saturating_sub(OVERHEAD)
    }

    /// Takes bytes that have arrived; `None` when they do not complete a message yet.
    pub fn poll(&mut self, transport: &mut (impl Transport + ?Sized)) -> Option<Result<Packet<'_>, LinkError>> {
        if core::mem::take(&mut self.kept) {
            return Some(open(self.buffer.get(..self.length).unwrap_or(&[])));
        }
        loop {
            if self.read >= self.filled {
                self.read = 0;
                self.filled = transport.read(&mut self.chunk).min(CHUNK);
                if self.filled == 0 {
                    return None;
                }
            }
            if let Some(outcome) = self.take_chunk() {
                return Some(outcome.and_then(|length| open(self.buffer.get(..length).unwrap_or(&[]))));
            }
        }
    }

    /// The next [`poll`](Self::poll) gives the message that the last one gave once more.
    pub const fn keep(&mut self) {
        self.kept = true;
    }

    /// Feeds the decoder from the chunk up to the end of one message.
    fn take_chunk(&mut self) -> Option<Result<usize, LinkError>> {
        let chunk = self.chunk.get(self.read..self.filled).unwrap_or(&[]);
        for &byte in chunk {
            self.read += 1;
            let decoded = self.decoder.feed(byte);
            if self.skipping {
                if byte == 0 {
                    self.skipping = false;
                    return Some(Err(LinkError::TooLong));
                }
                continue;
            }
            match decoded {
                Ok(DecodeResult::NoData) => {}
                Ok(DecodeResult::DataStart) => self.length = 0,
                Ok(DecodeResult::DataContinue(data)) => match self.buffer.get_mut(self.length) {
                    Some(slot) => {
                        *slot = data;
                        self.length += 1;
                    }
                    None => self.skipping = true,
                },
                Ok(DecodeResult::DataComplete) => return Some(Ok(self.length)),
                Err(_) => return Some(Err(LinkError::Truncated)),
            }
        }
        None
    }
}

/// Checks a decoded message and splits it.
fn open(message: &[u8]) -> Result<Packet<'_>, LinkError> {
    let (checked, crc) = message.split_last_chunk::<4>().ok_or(LinkError::Truncated)?;
    let (&kind, rest) = checked.split_first().ok_or(LinkError::Truncated)?;
    let (sequence, body) = rest.split_first_chunk::<4>().ok_or(LinkError::Truncated)?;
    if CRC.checksum(checked) != u32::from_le_bytes(*crc) {
        return Err(LinkError::Corrupt);
    }
    Ok(Packet { kind, sequence: u32::from_le_bytes(*sequence), body })
}
