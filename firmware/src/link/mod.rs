//! The link: how frames, commands and answers cross between a board and whoever feeds it.
//!
//! `docs/link.md` is normative. Messages are COBS-encoded between zero bytes and end in a CRC-32, so that a receiver that lost or
//! misread bytes is in step again at the next zero, and at most the damaged message is lost.

mod answer;
mod fields;
mod packet;
mod request;
mod status;

pub use answer::{
    Answer, Bench, Hello, Info, Loaded, MAX_BODY, MAX_OPERATORS, MAX_OUTPUTS, OUTPUT_PIECE, Output, PROTOCOL_VERSION,
    Pong, Ran, Reply,
};
pub use fields::{Fields, Put};
pub use packet::{Inbox, LinkError, Packet, encode, max_encoded};
pub use request::Request;
pub use status::Status;

/// A byte stream in both directions that never waits: UART, RTT, semihosting or shared memory.
pub trait Transport {
    /// Moves bytes that have arrived into `buffer`; returns how many (0: none yet).
    fn read(&mut self, buffer: &mut [u8]) -> usize;

    /// Takes as many of `bytes` as fit now; returns how many.
    fn write(&mut self, bytes: &[u8]) -> usize;

    /// Called when there is nothing to do: a place to sleep until bytes arrive. Returning at once is right, too.
    fn idle(&mut self) {}

    /// False once the other side is gone for good, so that a simulated board can end.
    fn is_open(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
