//! Runs a model over the caller's memory.

use core::cell::Cell;
use core::ops::Range;

use crate::blob::{ALIGNMENT, Element, Place, Tensor};
use crate::ops::{Kernels, Selected};
use crate::{Model, Pair, SessionError};

/// Memory for a session with the alignment it needs, for a `static` or a local.
#[derive(Debug, Clone)]
#[repr(C, align(16))]
pub struct Arena<const BYTES: usize>(pub [u8; BYTES]);

impl<const BYTES: usize> Arena<BYTES> {
    /// An arena of zeros.
    pub const fn new() -> Self {
        Self([0; BYTES])
    }
}

impl<const BYTES: usize> Default for Arena<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

/// A model and its arena. Runs as often as wanted; nothing can fail after [`Session::new`].
#[derive(Debug)]
pub struct Session<'m, 'a> {
    model: Model<'m>,
    arena: &'a mut [i8],
}

impl<'m, 'a> Session<'m, 'a> {
    /// Takes `arena`, which must start at a 16-byte boundary and hold at least [`Model::arena_bytes`].
    ///
    /// # Errors
    /// [`SessionError`] when it does not.
    pub fn new(model: Model<'m>, arena: &'a mut [u8]) -> Result<Self, SessionError> {
        let (needed, given) = (model.arena_bytes(), arena.len());
        if !(arena.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
            return Err(SessionError::ArenaMisaligned);
        }
        let arena = arena.get_mut(..needed).ok_or(SessionError::ArenaTooSmall { needed, given })?;
        let mut session = Self { model, arena: bytemuck::cast_slice_mut(arena) };
        session.reset();
        Ok(session)
    }

    /// Forgets: every state holds its zero point again, as at the start.
    pub fn reset(&mut self) {
        for state in self.model.tensors().iter().filter(|tensor| tensor.place() == Place::State) {
            // Only int8 has a zero point beside 0, so one byte says it for every element type.
            let value = state.zero_point() as i8;
            self.arena.get_mut(state.range()).into_iter().flatten().for_each(|byte| *byte = value);
        }
    }

    /// The model that runs.
    pub fn model(&self) -> &Model<'m> {
        &self.model
    }

    /// Input number `i` (the bytes of one that is not int8), to be written before each run: a run may use its bytes for
    /// something else.
    pub fn input_mut(&mut self, i: usize) -> Option<&mut [i8]> {
        self.arena.get_mut(self.model.input(i)?.range())
    }

    /// Input number `i` where it is int16.
    pub fn input_i16_mut(&mut self, i: usize) -> Option<&mut [i16]> {
        let tensor = self.model.input(i).filter(|tensor| tensor.element() == Element::Int16)?;
        bytemuck::try_cast_slice_mut(self.arena.get_mut(tensor.range())?).ok()
    }

    /// Input number `i` where it is int32 (indices).
    pub fn input_i32_mut(&mut self, i: usize) -> Option<&mut [i32]> {
        let tensor = self.model.input(i).filter(|tensor| tensor.element() == Element::Int32)?;
        bytemuck::try_cast_slice_mut(self.arena.get_mut(tensor.range())?).ok()
    }

    /// Output number `i` where it is int16.
    pub fn output_i16(&self, i: usize) -> Option<&[i16]> {
        let tensor = self.model.output(i).filter(|tensor| tensor.element() == Element::Int16)?;
        bytemuck::try_cast_slice(self.arena.get(tensor.range())?).ok()
    }

    /// Output number `i` where it is int32 (indices).
    pub fn output_i32(&self, i: usize) -> Option<&[i32]> {
        let tensor = self.model.output(i).filter(|tensor| tensor.element() == Element::Int32)?;
        bytemuck::try_cast_slice(self.arena.get(tensor.range())?).ok()
    }

    /// Output number `i` of the last run; the bytes of one that is not int8.
    pub fn output(&self, i: usize) -> Option<&[i8]> {
        self.arena.get(self.model.output(i)?.range())
    }

    /// Runs all operators.
    pub fn run(&mut self) {
        self.run_observed(|_| ());
    }

    /// Runs all operators and calls `observer` with each one's index after it ran.
    pub fn run_observed(&mut self, mut observer: impl FnMut(usize)) {
        self.run_with::<Selected>(|index, _| observer(index));
    }

    /// Runs all operators with chosen kernels; `observer` gets each operator's index and output after it ran. For tests
    /// and for comparing a network with its float version.
    pub fn run_with<K: Kernels>(&mut self, mut observer: impl FnMut(usize, &[i8])) {
        for (index, step) in self.model.steps().enumerate() {
            let constants = bytemuck::cast_slice(self.model.constants());
            let memory = Memory { arena: self.arena, constants, scratch: step.scratch };
            step.operator.run::<K>(step.sides, memory);
            observer(index, self.arena.get(step.sides.output.range()).unwrap_or(&[]));
        }
    }
}

/// The bytes that one operator may touch. The loader has made sure that the ranges exist, and that what is written lies
/// apart from what is read unless the operator works in place; where they do not, nothing is given and nothing runs.
#[derive(Debug)]
pub(crate) struct Memory<'a> {
    arena: &'a mut [i8],
    constants: &'a [i8],
    scratch: Range<usize>,
}

/// What most operators want: inputs to read, one output and scratch to write.
#[derive(Debug)]
pub(crate) struct Open<'a, const N: usize> {
    pub inputs: [&'a [i8]; N],
    pub output: &'a mut [i8],
    pub scratch: &'a mut [i16],
}

/// One input and the output, which may be the same bytes.
#[derive(Debug)]
pub struct InOut<'a> {
    /// The input where it lies apart.
    apart: Option<&'a [i8]>,
    written: &'a mut [i8],
}

impl<'a> InOut<'a> {
    /// Input and output at different places.
    pub fn apart(input: &'a [i8], output: &'a mut [i8]) -> Self {
        Self { apart: Some(input), written: output }
    }

    /// What is read; where the operator works in place, as far as it is not yet overwritten.
    #[inline]
    pub fn input(&self) -> &[i8] {
        self.apart.unwrap_or(self.written)
    }

    /// What is written.
    #[inline]
    pub fn output(&mut self) -> &mut [i8] {
        self.written
    }
}

impl<'a> Memory<'a> {
    /// The bytes of an input and the output, which may be the same (of equal size then), and the scratch.
    pub fn open_in_place(self, input: &Tensor, output: &Tensor) -> Option<(InOut<'a>, &'a mut [i16])> {
        if input.place() == Place::Arena && input.range() == output.range() {
            let Open { output, scratch, .. } = self.open([], output)?;
            return Some((InOut { apart: None, written: output }, scratch));
        }
        let Open { inputs: [input], output, scratch } = self.open([input], output)?;
        Some((InOut::apart(input, output), scratch))
    }

    /// The bytes of two inputs and the output, all of one length, and the scratch; an input may be the output's bytes.
    pub fn open_pair(self, inputs: [&Tensor; 2], output: &Tensor) -> Option<(Pair<'a>, &'a mut [i16])> {
        let [a, b] = inputs;
        let in_place = |input: &Tensor| input.place() == Place::Arena && input.range() == output.range();
        let (apart, output, scratch) = match inputs.map(in_place) {
            [true, true] => {
                let Open { output, scratch, .. } = self.open([], output)?;
                ([None, None], output, scratch)
            }
            [true, false] => {
                let Open { inputs: [b], output, scratch } = self.open([b], output)?;
                ([None, Some(b)], output, scratch)
            }
            [false, true] => {
                let Open { inputs: [a], output, scratch } = self.open([a], output)?;
                ([Some(a), None], output, scratch)
            }
            [false, false] => {
                let Open { inputs: [a, b], output, scratch } = self.open([a, b], output)?;
                ([Some(a), Some(b)], output, scratch)
            }
        };
        Some((Pair::new(apart, output)?, scratch))
    }

    /// The bytes of `inputs` (tensors of the arena or constants), of `output` and of the scratch.
    pub fn open<const N: usize>(self, inputs: [&Tensor; N], output: &Tensor) -> Option<Open<'a, N>> {
        let written = output.range();
        let scratch = if self.scratch.is_empty() { written.end..written.end } else { self.scratch };
        let scratch_first = scratch.start < written.start;
        let (first, second) = if scratch_first { (&scratch, &written) } else { (&written, &scratch) };
        let (below, tail) = self.arena.split_at_mut_checked(first.start)?;
        let (low, tail) = tail.split_at_mut_checked(first.len())?;
        let (between, tail) = tail.split_at_mut_checked(second.start.checked_sub(first.end)?)?;
        let (high, above) = tail.split_at_mut_checked(second.len())?;
        let (output, scratch) = if scratch_first { (high, low) } else { (low, high) };
        let readable = [(0, &*below), (first.end, &*between), (second.end, &*above)];
        let read = |tensor: &Tensor| {
            let range = tensor.range();
            if tensor.place() == Place::Constant {
                return self.constants.get(range);
            }
            let inside = |(start, bytes): &(usize, &'a [i8])| {
                bytes.get(range.start.checked_sub(*start)?..range.end.checked_sub(*start)?)
            };
            readable.iter().find_map(inside)
        };
        let mut slices: [&[i8]; N] = [&[]; N];
        for (slice, tensor) in slices.iter_mut().zip(inputs) {
            *slice = read(tensor)?;
        }
        let scratch = bytemuck::try_cast_slice_mut(scratch).unwrap_or(&mut []);
        Some(Open { inputs: slices, output, scratch })
    }

    /// Input (of the arena) and output as cells, which may be the same bytes.
    pub fn cells(self, input: &Tensor, output: &Tensor) -> Option<[&'a [Cell<i8>]; 2]> {
        let cells = Cell::from_mut(self.arena).as_slice_of_cells();
        Some([cells.get(input.range())?, cells.get(output.range())?])
    }

    /// The bytes of tensors of the arena, `None` standing for the scratch, all to be written if wanted. They must not overlap.
    pub fn disjoint<const N: usize>(self, tensors: [Option<&Tensor>; N]) -> Option<[&'a mut [i8]; N]> {
        let scratch = self.scratch;
        self.arena.get_disjoint_mut(tensors.map(|tensor| tensor.map_or(scratch.clone(), Tensor::range))).ok()
    }
}
