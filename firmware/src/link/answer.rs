//! What a board answers; each body is read and written here, beside its definition, for both sides of the link.

use heapless::Vec;

use super::{Fields, Put, Status};
use crate::control::Phase;
use crate::servo::Degrees;

/// Raised when a message changes its meaning.
pub const PROTOCOL_VERSION: u16 = 1;

/// Operators of a model whose ticks one [`Bench`] answer can tell.
pub const MAX_OPERATORS: usize = 256;

/// Elements of the network's output that a [`Reply`] can carry.
pub const MAX_OUTPUTS: usize = 256;

/// Bytes of the network's output that one [`Output`] answer carries at most.
pub const OUTPUT_PIECE: usize = 1024;

/// Bytes of the longest body that a board sends.
pub const MAX_BODY: usize = 1280;

/// What a board sends: always the answer to a request, except for the [`Hello`] it sends by itself when it is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "without a heap the longest answer decides; only one lives at a time")]
pub enum Answer<'a> {
    /// To `Hello`, and unasked with sequence number 0 once the board is ready.
    Hello(Hello<'a>),
    /// To `Tick`.
    Pong(Pong),
    /// To `Frame`.
    Reply(Reply),
    /// To `Info`.
    Info(Info),
    /// To `Bench`.
    Bench(Bench),
    /// To `Load`.
    Loaded(Loaded<'a>),
    /// To `Run`.
    Ran(Ran),
    /// To `Output`.
    Output(Output<'a>),
    /// To a message that could not be read at all; the sequence number is 0 where it is unknown.
    Error(Status),
}

impl<'a> Answer<'a> {
    /// Reads an answer; `None` if it is none.
    pub fn read(kind: u8, body: &'a [u8]) -> Option<Self> {
        let fields = &mut Fields::new(body);
        let answer = match kind {
            0x81 => Self::Hello(Hello::read(fields)?),
            0x82 => Self::Pong(Pong::read(fields)?),
            0x83 => Self::Reply(Reply::read(fields)?),
            0x84 => Self::Info(Info::read(fields)?),
            0x85 => Self::Bench(Bench::read(fields)?),
            0x86 => Self::Loaded(Loaded::read(fields)?),
            0x87 => Self::Ran(Ran::read(fields)?),
            0x88 => Self::Output(Output::read(fields)?),
            0xff => Self::Error(status(fields)?),
            _ => return None,
        };
        fields.is_empty().then_some(answer)
    }

    /// The number of this kind of message.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 0x81,
            Self::Pong(_) => 0x82,
            Self::Reply(_) => 0x83,
            Self::Info(_) => 0x84,
            Self::Bench(_) => 0x85,
            Self::Loaded(_) => 0x86,
            Self::Ran(_) => 0x87,
            Self::Output(_) => 0x88,
            Self::Error(_) => 0xff,
        }
    }

    /// Appends the body; `None` when it does not fit.
    pub fn write(&self, out: &mut impl Put) -> Option<()> {
        match self {
            Self::Hello(hello) => hello.write(out),
            Self::Pong(pong) => pong.write(out),
            Self::Reply(reply) => reply.write(out),
            Self::Info(info) => info.write(out),
            Self::Bench(bench) => bench.write(out),
            Self::Loaded(loaded) => loaded.write(out),
            Self::Ran(ran) => ran.write(out),
            Self::Output(output) => output.write(out),
            Self::Error(status) => out.put(&[status.code()]),
        }
    }
}

fn status(fields: &mut Fields<'_>) -> Option<Status> {
    Status::from_code(fields.u8()?)
}

/// Who a board is and what it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello<'a> {
    /// [`PROTOCOL_VERSION`] of the firmware.
    pub version: u16,
    /// `Ok`, or why there is no model.
    pub status: Status,
    /// Bytes of the longest body that the board takes.
    pub max_body: u32,
    /// Bytes of the model slot that `Load` fills.
    pub slot_bytes: u32,
    /// The network's input: rows, columns, channels; zeros without a model.
    pub input: [u16; 3],
    /// The board's name.
    pub board: &'a str,
    /// The model's name, or the reason why there is none.
    pub model: &'a str,
}

impl<'a> Hello<'a> {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&self.version.to_le_bytes())?;
        out.put(&[self.status.code()])?;
        out.put(&self.max_body.to_le_bytes())?;
        out.put(&self.slot_bytes.to_le_bytes())?;
        for extent in self.input {
            out.put(&extent.to_le_bytes())?;
        }
        out.put_text(self.board)?;
        out.put_text(self.model)
    }

    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            version: fields.u16()?,
            status: status(fields)?,
            max_body: fields.u32()?,
            slot_bytes: fields.u32()?,
            input: [fields.u16()?, fields.u16()?, fields.u16()?],
            board: fields.text()?,
            model: fields.text()?,
        })
    }
}

/// What the car is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pong {
    /// The board's clock, microseconds.
    pub time_us: u64,
    /// Driving, or how far into the safe state.
    pub phase: Phase,
    /// Why the safe state was entered last (`Ok` while driving).
    pub cause: Status,
    /// The wheels' angle, + = right.
    pub steering: Degrees,
    /// Duty of the steering servo, in counts of the PWM.
    pub servo_duty: u16,
    /// Duty of the throttle, in counts of the PWM.
    pub throttle_duty: u16,
    /// How often the safe state was entered since start-up.
    pub safe_entries: u32,
}

impl Pong {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&self.time_us.to_le_bytes())?;
        out.put(&[self.phase.code(), self.cause.code()])?;
        out.put(&self.steering.to_bits().to_le_bytes())?;
        out.put(&self.servo_duty.to_le_bytes())?;
        out.put(&self.throttle_duty.to_le_bytes())?;
        out.put(&self.safe_entries.to_le_bytes())
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            time_us: fields.u64()?,
            phase: Phase::from_code(fields.u8()?)?,
            cause: status(fields)?,
            steering: Degrees::from_bits(fields.i32()?),
            servo_duty: fields.u16()?,
            throttle_duty: fields.u16()?,
            safe_entries: fields.u32()?,
        })
    }
}

/// What became of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// `Ok`, or why the frame was not steered by.
    pub status: Status,
    /// Driving, or how far into the safe state, after this frame.
    pub phase: Phase,
    /// The wheels' angle after limits, + = right.
    pub steering: Degrees,
    /// Duty of the steering servo, in counts of the PWM.
    pub servo_duty: u16,
    /// Duty of the throttle, in counts of the PWM.
    pub throttle_duty: u16,
    /// Ticks of the board's counter that the network took.
    pub ticks: u32,
    /// The network's output as it stands in the arena; empty if it did not run.
    pub outputs: Vec<u8, MAX_OUTPUTS>,
}

impl Reply {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&[self.status.code(), self.phase.code()])?;
        out.put(&self.steering.to_bits().to_le_bytes())?;
        out.put(&self.servo_duty.to_le_bytes())?;
        out.put(&self.throttle_duty.to_le_bytes())?;
        out.put(&self.ticks.to_le_bytes())?;
        out.put(&self.outputs)
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            status: status(fields)?,
            phase: Phase::from_code(fields.u8()?)?,
            steering: Degrees::from_bits(fields.i32()?),
            servo_duty: fields.u16()?,
            throttle_duty: fields.u16()?,
            ticks: fields.u32()?,
            outputs: Vec::from_slice(fields.rest()).ok()?,
        })
    }
}

/// What a board measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// Bytes of arena that the model uses.
    pub arena_bytes: u32,
    /// Bytes of arena that the board has.
    pub arena_room: u32,
    /// Deepest stack so far, bytes.
    pub stack_bytes: u32,
    /// Ticks that checking the blob and making the session took.
    pub init_ticks: u32,
    /// Length of a tick, picoseconds; in QEMU under `-icount shift=0` an instruction is 1000.
    pub tick_picos: u32,
    /// Frames served.
    pub frames: u32,
    /// Frames that were not steered by, and messages that could not be read.
    pub dropped: u32,
}

impl Info {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        [
            self.arena_bytes,
            self.arena_room,
            self.stack_bytes,
            self.init_ticks,
            self.tick_picos,
            self.frames,
            self.dropped,
        ]
        .iter()
        .try_for_each(|field| out.put(&field.to_le_bytes()))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            arena_bytes: fields.u32()?,
            arena_room: fields.u32()?,
            stack_bytes: fields.u32()?,
            init_ticks: fields.u32()?,
            tick_picos: fields.u32()?,
            frames: fields.u32()?,
            dropped: fields.u32()?,
        })
    }
}

/// Ticks of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bench {
    /// `Ok`, or why nothing was measured.
    pub status: Status,
    /// Ticks of a whole run that was not observed.
    pub total: u32,
    /// Ticks of each operator, in the order they run.
    pub operators: Vec<u32, MAX_OPERATORS>,
}

impl Bench {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&[self.status.code()])?;
        out.put(&self.total.to_le_bytes())?;
        self.operators.iter().try_for_each(|ticks| out.put(&ticks.to_le_bytes()))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (status, total) = (status(fields)?, fields.u32()?);
        let mut operators = Vec::new();
        while !fields.is_empty() {
            operators.push(fields.u32()?).ok()?;
        }
        Some(Self { status, total, operators })
    }
}

/// What became of a piece of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded<'a> {
    /// `Ok`: the blob is complete and runs. `BlobIncomplete`: go on. Else why it was refused.
    pub status: Status,
    /// Bytes stored so far.
    pub stored: u32,
    /// The loader's own name of the error; empty where it had none.
    pub reason: &'a str,
}

impl<'a> Loaded<'a> {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&[self.status.code()])?;
        out.put(&self.stored.to_le_bytes())?;
        out.put_text(self.reason)
    }

    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self { status: status(fields)?, stored: fields.u32()?, reason: fields.text()? })
    }
}

/// What became of a piece of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    /// `Ok`: the input is complete, and the model ran. `InputIncomplete`: go on. Else why it did not run.
    pub status: Status,
    /// Ticks of the board's counter that the network took.
    pub ticks: u32,
}

impl Ran {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&[self.status.code()])?;
        out.put(&self.ticks.to_le_bytes())
    }

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { status: status(fields)?, ticks: fields.u32()? })
    }
}

/// A piece of the model's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output<'a> {
    /// `Ok`, or why there is none.
    pub status: Status,
    /// Bytes of all outputs.
    pub total: u32,
    /// What stands from the wanted byte on, at most [`OUTPUT_PIECE`]; empty from the end on.
    pub bytes: &'a [u8],
}

impl<'a> Output<'a> {
    fn write(&self, out: &mut impl Put) -> Option<()> {
        out.put(&[self.status.code()])?;
        out.put(&self.total.to_le_bytes())?;
        out.put(self.bytes)
    }

    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self { status: status(fields)?, total: fields.u32()?, bytes: fields.rest() })
    }
}
