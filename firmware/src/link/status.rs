//! What can be said about a message: one flat list, so that a code on the wire has one meaning.

/// Outcome of a message, as sent in answers. The numbers are part of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[non_exhaustive]
pub enum Status {
    /// Served.
    Ok = 0,
    /// The CRC-32 did not match.
    Corrupt = 1,
    /// The message ended before its COBS blocks did, or holds less than a header and a CRC.
    Truncated = 2,
    /// The message is longer than the receiver's buffer.
    TooLong = 3,
    /// No message of this kind exists.
    UnknownKind = 4,
    /// The body's length does not follow from its fields.
    BadBody = 5,
    /// The frame cannot be resized to the network's input (zero rows or columns, or too many).
    WrongSize = 6,
    /// The sequence number did not advance.
    Repeated = 7,
    /// The camera sends the same picture again and again.
    Frozen = 8,
    /// The frame was older than the limit when it arrived.
    Late = 9,
    /// There is no model to run.
    NoModel = 10,
    /// The run took longer than the deadline.
    DeadlineMissed = 11,
    /// The network's answer is far outside of what the wheels can do.
    Implausible = 12,
    /// The blob is larger than the model slot.
    BlobTooLarge = 13,
    /// The loader refused the blob; the text says why.
    BlobRefused = 14,
    /// A piece of a blob that does not continue the one before.
    BlobOutOfOrder = 15,
    /// A piece of a blob was stored; more must follow.
    BlobIncomplete = 16,
    /// The model needs a larger arena than the board has.
    ArenaTooSmall = 17,
    /// Too long since the last good frame.
    Silence = 18,
    /// No frame was served yet.
    Starting = 19,
    /// The PWM driver refused a duty cycle.
    ServoFailed = 20,
    /// The model's input or output is not the one picture in, one number out that steering needs.
    NotSteering = 21,
    /// The program was built without an operator that the blob needs; the text names it.
    OperatorLeftOut = 22,
    /// A piece of an input was stored; more must follow.
    InputIncomplete = 23,
    /// A piece of an input that does not continue the one before, or reaches beyond the input.
    InputOutOfOrder = 24,
}

impl Status {
    const ALL: [Self; 25] = [
        Self::Ok,
        Self::Corrupt,
        Self::Truncated,
        Self::TooLong,
        Self::UnknownKind,
        Self::BadBody,
        Self::WrongSize,
        Self::Repeated,
        Self::Frozen,
        Self::Late,
        Self::NoModel,
        Self::DeadlineMissed,
        Self::Implausible,
        Self::BlobTooLarge,
        Self::BlobRefused,
        Self::BlobOutOfOrder,
        Self::BlobIncomplete,
        Self::ArenaTooSmall,
        Self::Silence,
        Self::Starting,
        Self::ServoFailed,
        Self::NotSteering,
        Self::OperatorLeftOut,
        Self::InputIncomplete,
        Self::InputOutOfOrder,
    ];

    /// The status with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The number on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// One clause for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Ok => "served",
            Self::Corrupt => "the checksum does not match",
            Self::Truncated => "the message ends too early",
            Self::TooLong => "the message is longer than the receiver's buffer",
            Self::UnknownKind => "no message of this kind exists",
            Self::BadBody => "the message's length does not follow from its fields",
            Self::WrongSize => "the frame cannot be resized to the network's input",
            Self::Repeated => "the sequence number did not advance",
            Self::Frozen => "the camera sends the same picture again and again",
            Self::Late => "the frame is too old",
            Self::NoModel => "there is no model to run",
            Self::DeadlineMissed => "the run took longer than the deadline",
            Self::Implausible => "the network's answer is far outside of what the wheels can do",
            Self::BlobTooLarge => "the blob is larger than the model slot",
            Self::BlobRefused => "the loader refused the blob",
            Self::BlobOutOfOrder => "this piece does not continue the blob",
            Self::BlobIncomplete => "more pieces of the blob must follow",
            Self::ArenaTooSmall => "the model needs a larger arena than the board has",
            Self::Silence => "no good frame for too long",
            Self::Starting => "no frame was served yet",
            Self::ServoFailed => "the PWM driver refused a duty cycle",
            Self::NotSteering => "the model is not one picture in, one number out",
            Self::OperatorLeftOut => "the program was built without an operator that the blob needs",
            Self::InputIncomplete => "more pieces of the input must follow",
            Self::InputOutOfOrder => "this piece does not continue the input",
        }
    }
}
