//! The memory plan: every tensor is produced once and before it is read, and nothing that is live shares bytes.

use core::ops::Range;

use super::{Model, Step};
use crate::LoadError;
use crate::blob::format::{MAX_RECORDS, OperatorRecord};
use crate::blob::{ALIGNMENT, Place};
use crate::ops::Operator;

/// The last moment of a tensor that was not produced yet.
const UNBORN: u16 = u16::MAX;

/// When tensors hold their values, and which do so now. Moment 0 is before the first operator, moment `i + 1` is operator `i`, and the
/// last is after all operators.
pub(super) struct Plan {
    /// By tensor: the moment at which it is read last (written, if it is never read), or [`UNBORN`].
    last: [u16; MAX_RECORDS],
    /// The tensors in the arena that hold their value, as many as `count`; before the first operator all that are there from the start.
    live: [u16; MAX_RECORDS],
    count: usize,
}

impl Plan {
    /// Checks who writes and reads what in which order, and what is there from the start.
    pub fn new(model: &Model<'_>) -> Result<Self, LoadError> {
        let mut plan = Self { last: [UNBORN; MAX_RECORDS], live: [UNBORN; MAX_RECORDS], count: 0 };
        plan.begin(model)?;
        for (record, operator) in model.records.iter().zip(0u16..) {
            plan.follow(model, record, operator)?;
        }
        plan.end(model)?;
        Ok(plan)
    }

    /// Checks operator number `index`, the next one: what it writes, its output and its scratch, against all that is live while it
    /// runs. Of two tensors that are live together, one is there already when the other appears, so every pair is looked at.
    pub fn admit(
        &mut self,
        model: &Model<'_>,
        record: &OperatorRecord,
        step: &Step<'_>,
        index: u16,
    ) -> Result<(), LoadError> {
        let (error, moment) = (LoadError::BadScratch { operator: index }, index + 1);
        let (reads, written) = (record.reads(), record.outputs[0]);
        let output = step.sides.output.range();
        let mut covered = overlap(&output, &step.scratch);
        let before = core::mem::take(&mut self.count);
        for at in 0..before {
            let other = self.live.get(at).copied().unwrap_or(UNBORN);
            let (range, last) = (model.tensor(other).ok_or(error)?.range(), self.last(other));
            if last < moment {
                continue;
            }
            if overlap(&range, &output) && !in_place(step, last == moment, reads, other) {
                return Err(LoadError::LiveOverlap { tensor: written });
            }
            covered |= overlap(&range, &step.scratch);
            if last > moment {
                self.remember(other);
            }
        }
        // Kernels see scratch as int16 or wider.
        let whole = [step.scratch.start, step.scratch.len()].iter().all(|bytes| bytes.is_multiple_of(ALIGNMENT));
        let misplaced = !whole || step.scratch.end > model.arena_bytes;
        if covered || misplaced || step.scratch.len() < step.operator.scratch_bytes(&step.sides) {
            return Err(error);
        }
        if self.last(written) > moment {
            self.remember(written);
        }
        Ok(())
    }

    /// Inputs, constants and states are there from the start.
    fn begin(&mut self, model: &Model<'_>) -> Result<(), LoadError> {
        for input in model.inputs {
            self.produce(*input, 0).map_err(|_| LoadError::BadEndpoints)?;
        }
        for (tensor, index) in model.tensors.iter().zip(0u16..) {
            if tensor.place() != Place::Arena {
                self.produce(index, 0).map_err(|_| LoadError::BadEndpoints)?;
            }
            if self.last(index) == UNBORN || tensor.place() == Place::Constant {
                continue;
            }
            let mut others = self.live().iter().filter_map(|other| model.tensor(*other));
            if others.any(|other| overlap(&other.range(), &tensor.range())) {
                return Err(LoadError::LiveOverlap { tensor: index });
            }
            self.remember(index);
        }
        Ok(())
    }

    /// Operator number `operator` reads and writes.
    fn follow(&mut self, model: &Model<'_>, record: &OperatorRecord, operator: u16) -> Result<(), LoadError> {
        let written = record.outputs[0];
        for tensor in record.reads().iter().chain([&written]) {
            model.tensor(*tensor).ok_or(LoadError::BadOperands { operator })?;
        }
        if !record.reads().iter().all(|tensor| self.read(*tensor, operator + 1)) {
            return Err(LoadError::OutOfOrder { operator });
        }
        self.produce(written, operator + 1)
    }

    /// Outputs are there at the end, states too.
    fn end(&mut self, model: &Model<'_>) -> Result<(), LoadError> {
        let end = model.records.len() as u16 + 1;
        for output in model.outputs {
            let repeated = self.last(*output) == end;
            let elsewhere = model.tensor(*output).is_none_or(|tensor| tensor.place() != Place::Arena);
            if repeated || elsewhere || !self.read(*output, end) {
                return Err(LoadError::BadEndpoints);
            }
        }
        for (tensor, index) in model.tensors.iter().zip(0u16..) {
            if self.last(index) == UNBORN {
                return Err(LoadError::NotProduced { tensor: index });
            }
            if tensor.place() == Place::State && !self.read(index, end) {
                return Err(LoadError::BadEndpoints);
            }
        }
        Ok(())
    }

    fn last(&self, tensor: u16) -> u16 {
        self.last.get(usize::from(tensor)).copied().unwrap_or(UNBORN)
    }

    fn produce(&mut self, tensor: u16, moment: u16) -> Result<(), LoadError> {
        let last = self.last.get_mut(usize::from(tensor)).filter(|last| **last == UNBORN);
        *last.ok_or(LoadError::ProducedTwice { tensor })? = moment;
        Ok(())
    }

    /// Whether there is something to read.
    fn read(&mut self, tensor: u16, moment: u16) -> bool {
        let last = self.last.get_mut(usize::from(tensor)).filter(|last| **last != UNBORN);
        last.map(|last| *last = moment).is_some()
    }

    fn live(&self) -> &[u16] {
        self.live.get(..self.count).unwrap_or(&[])
    }

    fn remember(&mut self, tensor: u16) {
        if let Some(place) = self.live.get_mut(self.count) {
            *place = tensor;
            self.count += 1;
        }
    }
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
