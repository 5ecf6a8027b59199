//! Runs a model over the caller's memory.

use core::ops::Range;

use crate::blob::ALIGNMENT;
use crate::model::Step;
use crate::ops::{Kernels, Operator, Selected};
use crate::{Model, SessionError};

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
        Ok(Self { model, arena: bytemuck::cast_slice_mut(arena) })
    }

    /// The model that runs.
    pub fn model(&self) -> &Model<'m> {
        &self.model
    }

    /// Input number `i`, to be written before each run: a run may use its bytes for something else.
    pub fn input_mut(&mut self, i: usize) -> Option<&mut [i8]> {
        self.arena.get_mut(self.model.input(i)?.range())
    }

    /// Output number `i` of the last run.
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
            run_step::<K>(&step, self.arena);
            observer(index, self.arena.get(step.sides.output.range()).unwrap_or(&[]));
        }
    }
}

/// One operator. The loader has made sure that the ranges exist and are disjoint.
fn run_step<K: Kernels>(step: &Step<'_>, arena: &mut [i8]) {
    let (sides, scratch) = (step.sides, step.scratch.clone());
    if let Operator::Reshape = step.operator {
        let (from, to) = (sides.input.range(), sides.output.range());
        if from.start != to.start
            && let Ok([input, output]) = arena.get_disjoint_mut([from, to])
        {
            copy(input, output);
        }
        return;
    }
    if let Operator::Add(add) = &step.operator {
        if let (Some(second), Some((rest, output))) = (sides.others[0], around(arena, sides.output.range())) {
            let inputs = [sides.input, second].map(|tensor| rest.get(tensor.range()).unwrap_or(&[]));
            K::add(add, sides, inputs, output);
        }
        return;
    }
    let Ok([input, output, scratch]) = arena.get_disjoint_mut([sides.input.range(), sides.output.range(), scratch])
    else {
        return;
    };
    let scratch = bytemuck::try_cast_slice_mut(scratch).unwrap_or(&mut []);
    match &step.operator {
        Operator::Conv2d(conv) => K::conv2d(conv, sides, input, output, scratch),
        Operator::FullyConnected(dense) => K::fully_connected(dense, sides, input, output, scratch),
        Operator::MaxPool(pool) => pool.run(sides, input, output),
        Operator::AveragePool(pool) => pool.run(sides, input, output),
        Operator::Lut(lut) => lut.run(input, output),
        Operator::DepthwiseConv2d(conv) => K::depthwise_conv2d(conv, sides, input, output, scratch),
        Operator::Softmax(softmax) => softmax.run(sides, input, output),
        Operator::Reshape | Operator::Add(_) => {}
    }
}

/// All of the arena but one tensor, to be read while that is written. Two inputs may be the same tensor.
struct Rest<'a> {
    before: &'a [i8],
    after: &'a [i8],
    /// Where `after` starts in the arena.
    resumes: usize,
}

impl<'a> Rest<'a> {
    fn get(&self, range: Range<usize>) -> Option<&'a [i8]> {
        match (range.start.checked_sub(self.resumes), range.end.checked_sub(self.resumes)) {
            (Some(start), Some(end)) => self.after.get(start..end),
            _ => self.before.get(range),
        }
    }
}

/// Cuts the arena into the bytes of `output` and the rest.
fn around(arena: &mut [i8], output: Range<usize>) -> Option<(Rest<'_>, &mut [i8])> {
    let (before, tail) = arena.split_at_mut_checked(output.start)?;
    let (written, after) = tail.split_at_mut_checked(output.end.checked_sub(output.start)?)?;
    Some((Rest { before, after, resumes: output.end }, written))
}

/// `copy_from_slice` without its panic on different lengths, which a loaded model does not have.
fn copy(from: &[i8], to: &mut [i8]) {
    for (q, copied) in from.iter().zip(to) {
        *copied = *q;
    }
}
