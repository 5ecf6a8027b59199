//! The memory plan: every tensor is produced once and before it is read, and nothing that is live shares bytes.

use core::ops::Range;

use super::{Model, Step};
use crate::LoadError;
use crate::blob::format::MAX_RECORDS;
use crate::blob::{ALIGNMENT, Place, Tensor};
use crate::ops::Operator;

/// When a tensor holds its value: from the moment it is written to the moment it is last read. Moment 0 is before the
/// first operator, moment `i + 1` is operator `i`, and the last is after all operators.
#[derive(Clone, Copy)]
struct Life {
    first: u16,
    last: u16,
}

const UNBORN: u16 = u16::MAX;

struct Lives([Life; MAX_RECORDS]);

impl Lives {
    fn get(&self, tensor: u16) -> Life {
        self.0.get(usize::from(tensor)).copied().unwrap_or(Life { first: UNBORN, last: 0 })
    }

    fn produce(&mut self, tensor: u16, moment: u16) -> Result<(), LoadError> {
        match self.0.get_mut(usize::from(tensor)) {
            Some(life) if life.first == UNBORN => {
                let _: () = *life = Life { first: moment, last: moment };
                Ok(())
            }
            _ => Err(LoadError::ProducedTwice { tensor }),
        }
    }

    /// Whether there is something to read.
    fn read(&mut self, tensor: u16, moment: u16) -> bool {
        match self.0.get_mut(usize::from(tensor)) {
            Some(life) if life.first < moment => {
                life.last = moment;
                true
            }
            _ => false,
        }
    }
}

/// Checks what is there from the start, then each operator when it runs: of two tensors that are live together, one is there
/// already when the other appears, so every pair is looked at.
pub(super) fn verify(model: &Model<'_>) -> Result<(), LoadError> {
    let lives = lives(model)?;
    for ((index, tensor), life) in (0u16..).zip(model.tensors).zip(&lives.0) {
        match life.first {
            UNBORN => return Err(LoadError::NotProduced { tensor: index }),
            0 if tensor.place() != Place::Constant => {
                let range = tensor.range();
                if live(model, &lives, 0).any(|(other, tensor)| other < index && overlap(&tensor.range(), &range)) {
                    return Err(LoadError::LiveOverlap { tensor: index });
                }
            }
            _ => {}
        }
    }
    (0..model.records.len() as u16).try_for_each(|index| operator(model, &lives, index))
}

fn lives(model: &Model<'_>) -> Result<Lives, LoadError> {
    let mut lives = Lives([Life { first: UNBORN, last: 0 }; MAX_RECORDS]);
    let count = model.tensors.len();
    let endpoints = model.inputs.iter().chain(model.outputs);
    if endpoints.into_iter().any(|t| usize::from(*t) >= count) {
        return Err(LoadError::BadEndpoints);
    }
    for input in model.inputs {
        lives.produce(*input, 0).map_err(|_| LoadError::BadEndpoints)?;
    }
    for (tensor, index) in model.tensors.iter().zip(0u16..) {
        if tensor.place() != Place::Arena {
            lives.produce(index, 0).map_err(|_| LoadError::BadEndpoints)?;
        }
    }
    for (record, operator) in model.records.iter().zip(0u16..) {
        if !record.reads().iter().all(|tensor| lives.read(*tensor, operator + 1)) {
            return Err(LoadError::OutOfOrder { operator });
        }
        lives.produce(record.outputs[0], operator + 1)?;
    }
    let end = model.records.len() as u16 + 1;
    for output in model.outputs {
        let repeated = lives.get(*output).last == end;
        let constant = model.tensor(*output).is_none_or(|tensor| tensor.place() != Place::Arena);
        if repeated || constant || !lives.read(*output, end) {
            return Err(LoadError::BadEndpoints);
        }
    }
    for (tensor, index) in model.tensors.iter().zip(0u16..) {
        if tensor.place() == Place::State && !lives.read(index, end) {
            return Err(LoadError::BadEndpoints);
        }
    }
    Ok(lives)
}

/// The tensors in the arena that hold their value at `moment`.
fn live<'m>(model: &Model<'m>, lives: &Lives, moment: u16) -> impl Iterator<Item = (u16, &'m Tensor)> {
    let tensors = (0u16..).zip(model.tensors).zip(&lives.0);
    let now = tensors.filter(move |(_, life)| life.first <= moment && moment <= life.last);
    now.map(|(tensor, _)| tensor).filter(|(_, tensor)| tensor.place() != Place::Constant)
}

/// What one operator writes, against all that is live while it runs: its output, and its scratch, which must be large enough
/// and in the arena.
fn operator(model: &Model<'_>, lives: &Lives, index: u16) -> Result<(), LoadError> {
    let error = LoadError::BadScratch { operator: index };
    let step = model.step(usize::from(index)).ok_or(error)?;
    let (reads, written) = model.operands(usize::from(index)).ok_or(error)?;
    let output = step.sides.output.range();
    let mut covered = false;
    for (other, tensor) in live(model, lives, index + 1) {
        let range = tensor.range();
        let last = lives.get(other).last == index + 1;
        if other != written && overlap(&range, &output) && !in_place(&step, last, reads, other) {
            return Err(LoadError::LiveOverlap { tensor: written });
        }
        covered |= overlap(&range, &step.scratch);
    }
    // Kernels see scratch as int16 or wider.
    let odd = step.scratch.start % ALIGNMENT != 0 || step.scratch.len() % ALIGNMENT != 0;
    let misplaced = odd || step.scratch.end > model.arena_bytes;
    let small = step.scratch.len() < step.operator.scratch_bytes(&step.sides);
    if covered || misplaced || small { Err(error) } else { Ok(()) }
}

/// Whether the operator writes its output over tensor `from`, of which it is the `last` reader, or both hold the same bytes by a reshape.
fn in_place(step: &Step<'_>, last: bool, reads: &[u16], from: u16) -> bool {
    (last || matches!(step.operator, Operator::Reshape(_)))
        && reads.iter().zip(step.sides.inputs()).enumerate().any(|(i, (tensor, input))| {
            let same_place = input.place() == Place::Arena && input.offset() == step.sides.output.offset();
            *tensor == from && same_place && step.operator.in_place(&step.sides, i)
        })
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end && !a.is_empty() && !b.is_empty()
}
