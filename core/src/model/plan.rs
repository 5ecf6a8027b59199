//! The memory plan: every tensor is produced once and before it is read, and nothing that is live shares bytes.

use core::ops::Range;

use super::Model;
use crate::LoadError;
use crate::blob::format::MAX_RECORDS;
use crate::blob::{ALIGNMENT, Place};
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

pub(super) fn verify(model: &Model<'_>) -> Result<(), LoadError> {
    let lives = lives(model)?;
    for tensor in 0..model.tensors.len() as u16 {
        if lives.get(tensor).first == UNBORN {
            return Err(LoadError::NotProduced { tensor });
        }
        if (0..tensor).any(|other| clash(model, &lives, other, tensor)) {
            return Err(LoadError::LiveOverlap { tensor });
        }
    }
    (0..model.records.len() as u16).try_for_each(|operator| scratch(model, &lives, operator))
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

/// Whether two tensors are live at the same moment in the same bytes of the arena.
fn clash(model: &Model<'_>, lives: &Lives, a: u16, b: u16) -> bool {
    let (Some(left), Some(right)) = (model.tensor(a), model.tensor(b)) else { return true };
    if left.place() == Place::Constant || right.place() == Place::Constant {
        return false;
    }
    let (x, y) = (lives.get(a), lives.get(b));
    let simultaneous = x.first <= y.last && y.first <= x.last;
    simultaneous
        && overlap(&left.range(), &right.range())
        && !in_place(model, lives, [a, b])
        && !in_place(model, lives, [b, a])
}

/// Whether an operator writes `to` over `from`, whose last reader it is, or both hold the same bytes by a reshape.
fn in_place(model: &Model<'_>, lives: &Lives, [from, to]: [u16; 2]) -> bool {
    let (Some(read), Some(written)) = (model.tensor(from), model.tensor(to)) else { return false };
    let moment = lives.get(to).first;
    let Some(step) = moment.checked_sub(1).and_then(|index| model.step(usize::from(index))) else { return false };
    let Some((reads, _)) = moment.checked_sub(1).and_then(|index| model.operands(usize::from(index))) else {
        return false;
    };
    let same_place = read.place() == Place::Arena && read.offset() == written.offset();
    let last_reader = lives.get(from).last == moment || matches!(step.operator, Operator::Reshape(_));
    same_place && last_reader && reads.iter().enumerate().any(|(i, t)| *t == from && step.operator.in_place(i))
}

/// The scratch of one operator: large enough, in the arena, over nothing that is live while it runs.
fn scratch(model: &Model<'_>, lives: &Lives, operator: u16) -> Result<(), LoadError> {
    let error = LoadError::BadScratch { operator };
    let step = model.step(usize::from(operator)).ok_or(error)?;
    let range = step.scratch;
    let misplaced = range.start % ALIGNMENT != 0 || range.end > model.arena_bytes;
    if misplaced || range.len() < step.operator.scratch_bytes(&step.sides) {
        return Err(error);
    }
    let moment = operator + 1;
    let live = |t: u16| (lives.get(t).first..=lives.get(t).last).contains(&moment);
    let covered = (0..model.tensors.len() as u16).filter(|t| live(*t)).filter_map(|t| model.tensor(t));
    let clash = covered.filter(|t| t.place() != Place::Constant).any(|tensor| overlap(&tensor.range(), &range));
    if clash { Err(error) } else { Ok(()) }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end && !a.is_empty() && !b.is_empty()
}
