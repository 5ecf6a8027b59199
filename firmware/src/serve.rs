//! The outermost loop: which model runs. The built-in one, until another arrives over the link and proves itself.

use ackermann_core::blob::received;
use embedded_hal::pwm::SetDutyCycle;

use crate::clock::Clock;
use crate::control::{ControlLoop, Stage, Step};
use crate::link::{Status, Transport};
use crate::network::Refusal;

/// The model slot: memory into which a blob arrives piece by piece.
#[derive(Debug)]
pub struct Slot<'a> {
    bytes: &'a mut [u8],
    stored: usize,
    total: usize,
}

impl<'a> Slot<'a> {
    /// An empty slot over `bytes`, which start at a 16-byte boundary.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, stored: 0, total: 0 }
    }

    /// Bytes stored so far.
    pub const fn stored(&self) -> usize {
        self.stored
    }

    /// Whether the whole blob is there.
    pub const fn is_complete(&self) -> bool {
        self.stored == self.total
    }

    /// Stores the piece at `offset` of a blob of `total` bytes; offset 0 starts anew.
    pub fn store(&mut self, total: u32, offset: u32, piece: &[u8]) -> Result<(), Status> {
        let (total, offset) = (total as usize, offset as usize);
        if offset == 0 {
            (self.stored, self.total) = (0, total);
        }
        if total > self.bytes.len() {
            return Err(Status::BlobTooLarge);
        }
        if offset != self.stored || total != self.total || piece.len() > total - offset {
            return Err(Status::BlobOutOfOrder);
        }
        let room = self.bytes.get_mut(offset..).and_then(|rest| rest.get_mut(..piece.len()));
        for (to, from) in room.ok_or(Status::BlobTooLarge)?.iter_mut().zip(piece) {
            *to = *from;
        }
        self.stored += piece.len();
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    BuiltIn,
    /// The first so many bytes of the slot.
    Slot(usize),
}

/// Runs the built-in model, or the one that the host puts into `slot`, until the transport closes (on a board: for ever).
///
/// A blob that does not load leaves the built-in model in charge, and so does an upload that stops half-way.
/// `builtin`, `slot` and `arena` must start at 16-byte boundaries.
pub fn serve<T: Transport, S: SetDutyCycle, P: SetDutyCycle, C: Clock>(
    control: &mut ControlLoop<'_, T, S, P, C>,
    builtin: &[u8],
    slot: &mut [u8],
    arena: &mut [u8],
) {
    let mut source = Source::BuiltIn;
    let mut asked = None;
    let mut announced = false;
    while control.pilot().transport().is_open() {
        let blob = match source {
            Source::BuiltIn => builtin,
            Source::Slot(length) => slot.get(..length).unwrap_or(&[]),
        };
        // What came over the link may have suffered; what was built in was checked by the host that built it.
        let intact = if source == Source::BuiltIn { Ok(()) } else { received(blob).map(drop).map_err(Refusal::Load) };
        let mut opened = control.pilot_mut().open(intact.map(|()| blob), arena);
        if let Some(sequence) = asked.take() {
            let (status, reason) = verdict(opened.as_ref().err());
            control.pilot_mut().loaded(sequence, status, blob.len(), reason);
        }
        if opened.is_err() && source != Source::BuiltIn {
            source = Source::BuiltIn;
            continue;
        }
        if !announced {
            control.announce(opened.as_ref().map_err(|refusal| *refusal));
            announced = true;
        }
        while is_on(control.step(match &mut opened {
            Ok(network) => Stage::Ready(network),
            Err(refusal) => Stage::Empty(*refusal),
        })) && control.pilot().transport().is_open()
        {}
        drop(opened);
        let mut upload = Slot::new(slot);
        let mut step = Step::Idle;
        while is_on(step) && control.pilot().transport().is_open() {
            step = control.step(Stage::Loading(&mut upload));
        }
        (source, asked) = match step {
            Step::Complete(sequence) => (Source::Slot(upload.stored()), Some(sequence)),
            _ => (Source::BuiltIn, None),
        };
    }
}

/// Whether the stage goes on.
const fn is_on(step: Step) -> bool {
    matches!(step, Step::Idle | Step::Served)
}

fn verdict(refusal: Option<&Refusal>) -> (Status, &'static str) {
    match refusal {
        None => (Status::Ok, ""),
        Some(refusal) => (refusal.status(), refusal.name()),
    }
}
