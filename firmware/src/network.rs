//! The model as the control loop sees it: a picture in, an angle out.

use ackermann_core::blob::keys;
use ackermann_core::{LoadError, Model, Session, SessionError};

use crate::link::Status;
use crate::preprocess::Window;
use crate::servo::Degrees;

/// Wheel angle of an output of 1.0 where the blob does not say, degrees.
const DEFAULT_FULL_SCALE: Degrees = Degrees::const_from_int(25);

/// Why a blob does not run on this board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// There is no blob.
    Missing,
    /// The loader refused it.
    Load(LoadError),
    /// It says which part of the frame it looks at, but not so that it can be read.
    Crop,
    /// It loads, but the memory of this board does not suit it.
    Session(SessionError),
}

impl Refusal {
    /// How the link tells it.
    pub const fn status(&self) -> Status {
        match self {
            Self::Missing => Status::NoModel,
            Self::Load(LoadError::LeftOut { .. } | LoadError::TypeLeftOut { .. }) => Status::OperatorLeftOut,
            Self::Load(_) | Self::Crop => Status::BlobRefused,
            Self::Session(_) => Status::ArenaTooSmall,
        }
    }

    /// The name of the error, or of the feature that was left out.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Missing => "Missing",
            Self::Load(LoadError::LeftOut { feature, .. } | LoadError::TypeLeftOut { feature, .. }) => feature.name(),
            Self::Load(error) => error.name(),
            Self::Crop => "Crop",
            Self::Session(error) => error.name(),
        }
    }
}

/// A model that is ready to run, and what its numbers mean.
#[derive(Debug)]
pub struct Network<'m> {
    session: Session<'m, 'm>,
    name: &'m str,
    /// Rows, columns, channels of the input; zeros if it is no picture.
    input: [u16; 3],
    crop: Option<Window>,
    arena_bytes: usize,
    /// Bytes of the next input that arrived.
    stored: usize,
    zero_point: i32,
    /// Degrees of one step of the output, 24 fractional bits.
    step_q24: i64,
}

impl<'m> Network<'m> {
    /// Checks `blob` and starts a session over `arena`.
    pub fn open(blob: &'m [u8], arena: &'m mut [u8]) -> Result<Self, Refusal> {
        if blob.is_empty() {
            return Err(Refusal::Missing);
        }
        let model = Model::load(blob).map_err(Refusal::Load)?;
        let (scale, zero_point) = model.output(0).map_or((0.0, 0), |tensor| (tensor.scale(), tensor.zero_point()));
        let metadata = model.metadata();
        let full_scale = metadata.get(keys::FULL_SCALE_DEG).and_then(parse_degrees).unwrap_or(DEFAULT_FULL_SCALE);
        let name = metadata.get(keys::NETWORK).unwrap_or("");
        let crop = match metadata.get(keys::INPUT_CROP) {
            Some(text) => Some(Window::parse(text).ok_or(Refusal::Crop)?),
            None => None,
        };
        let input = model.input(0).map_or([0; 3], |tensor| picture(tensor.shape()));
        let arena_bytes = model.arena_bytes();
        let session = Session::new(model, arena).map_err(Refusal::Session)?;
        // The cast saturates, and sends NaN to 0.
        let step_q24 = (scale * (full_scale.to_bits() as f32) * 256.0) as i64;
        Ok(Self { session, name, input, crop, arena_bytes, stored: 0, zero_point, step_q24 })
    }

    /// The model's name; empty if its blob has none.
    pub const fn name(&self) -> &'m str {
        self.name
    }

    /// Rows, columns, channels of the input; zeros if it is no picture.
    pub const fn input_shape(&self) -> [u16; 3] {
        self.input
    }

    /// The part of each frame that the model looks at; `None` is all of it.
    pub const fn crop(&self) -> Option<Window> {
        self.crop
    }

    /// Bytes of arena that the model needs.
    pub const fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// The input tensor, row-major HWC; empty if there is none. An input that arrives in pieces must start anew after it.
    pub fn input_mut(&mut self) -> &mut [i8] {
        self.stored = 0;
        self.session.input_mut(0).unwrap_or(&mut [])
    }

    /// Writes the piece at `offset` of the bytes of all inputs, one after another; 0 begins anew. Whether they are complete then.
    ///
    /// # Errors
    /// `InputOutOfOrder` for a piece that does not continue the one before or reaches beyond the inputs.
    pub fn store(&mut self, offset: u32, piece: &[u8]) -> Result<bool, Status> {
        let (offset, stored) = (offset as usize, core::mem::take(&mut self.stored));
        if offset != 0 && offset != stored {
            return Err(Status::InputOutOfOrder);
        }
        let (mut before, mut rest, mut room) = (offset, piece, 0);
        for index in 0..self.session.model().inputs().len() {
            let input = self.session.input_mut(index).unwrap_or(&mut []);
            let skipped = before.min(input.len());
            before -= skipped;
            let input = input.get_mut(skipped..).unwrap_or(&mut []);
            room += input.len();
            input.iter_mut().zip(rest).for_each(|(to, from)| *to = *from as i8);
            rest = rest.get(input.len()..).unwrap_or(&[]);
        }
        if before > 0 || piece.len() > room {
            return Err(Status::InputOutOfOrder);
        }
        self.stored = if piece.len() == room { 0 } else { offset + piece.len() };
        Ok(piece.len() == room)
    }

    /// Of the bytes of all outputs, one after another: how many there are, and some from `offset` on, none only at the end.
    pub fn output_bytes(&self, offset: usize) -> (usize, &[u8]) {
        let (mut total, mut found): (usize, &[i8]) = (0, &[]);
        for index in 0..self.session.model().outputs().len() {
            let output = self.session.output(index).unwrap_or(&[]);
            if let Some(rest) = offset.checked_sub(total).and_then(|at| output.get(at..)) {
                found = rest;
            }
            total += output.len();
        }
        (total, bytemuck::try_cast_slice(found).unwrap_or(&[]))
    }

    /// States forget.
    pub fn reset(&mut self) {
        self.session.reset();
    }

    /// The output tensor; empty if there is none.
    pub fn output(&self) -> &[i8] {
        self.session.output(0).unwrap_or(&[])
    }

    /// Runs the model.
    pub fn run(&mut self) {
        self.session.run();
    }

    /// Runs the model and calls `observe` after every operator with its index.
    pub fn run_observed(&mut self, observe: impl FnMut(usize)) {
        self.session.run_observed(observe);
    }

    /// The steering angle that the output stands for, or `NotSteering` if the output is not one number.
    pub fn steering(&self) -> Result<Degrees, Status> {
        let &[raw] = self.output() else { return Err(Status::NotSteering) };
        let bits = (i64::from(raw) - i64::from(self.zero_point)).saturating_mul(self.step_q24);
        let bits = (bits.saturating_add(1 << 7) >> 8).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        Ok(Degrees::from_bits(bits as i32))
    }
}

/// Rows, columns and channels of a batch of one RGB picture, or zeros.
fn picture(shape: &[u32]) -> [u16; 3] {
    match *shape {
        [1, height, width, 3] => match (u16::try_from(height), u16::try_from(width)) {
            (Ok(height), Ok(width)) => [height, width, 3],
            _ => [0; 3],
        },
        _ => [0; 3],
    }
}

/// A decimal number from 0 up to 360, with up to four digits after the point.
fn parse_degrees(text: &str) -> Option<Degrees> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| {
        part.bytes().try_fold(0i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    if whole.is_empty() || whole.len() > 3 || fraction.len() > 4 {
        return None;
    }
    let unit = [1, 10, 100, 1000, 10_000].get(fraction.len()).copied()?;
    let bits = (digits(whole)? << 16) + (digits(fraction)? << 16) / unit;
    (bits <= 360 << 16).then(|| Degrees::from_bits(bits as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_as_written() {
        assert_eq!(parse_degrees("25"), Some(Degrees::const_from_int(25)));
        assert_eq!(parse_degrees("12.5"), Some(Degrees::from_num(12.5)));
        assert_eq!(parse_degrees("0.0625"), Some(Degrees::from_num(0.0625)));
        for wrong in ["", ".", "-3", "1e3", "nan", "3.14159", "1000", "361", "2,5"] {
            assert_eq!(parse_degrees(wrong), None, "{wrong}");
        }
    }
}
