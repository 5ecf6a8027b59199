//! A blob that was checked once and completely.

mod header;
mod plan;

use crate::LoadError;
use crate::blob::format::{MAX_INPUTS, NO_TENSOR, OperatorRecord};
use crate::blob::{Metadata, Place, Tensor, keys};
use crate::ops::{Operator, Sides};
use plan::Plan;

/// A loaded network: views into the blob, which stays where it is. After [`Model::load`] nothing about it can fail.
#[derive(Debug, Clone, Copy)]
pub struct Model<'m> {
    tensors: &'m [Tensor],
    records: &'m [OperatorRecord],
    inputs: &'m [u16],
    outputs: &'m [u16],
    constants: &'m [u8],
    metadata: Metadata<'m>,
    signature: Option<&'m [u8; 64]>,
    arena_bytes: usize,
    blob_bytes: usize,
}

/// One operator of a model with its tensors and memory, ready to run.
#[derive(Debug, Clone)]
pub struct Step<'m> {
    /// What to compute.
    pub operator: Operator<'m>,
    /// From where to where.
    pub sides: Sides<'m>,
    /// Bytes of scratch in the arena, `start..end`.
    pub scratch: core::ops::Range<usize>,
}

impl<'m> Model<'m> {
    /// Checks all of `blob` that could do harm and keeps views into it: whatever the bytes, what loads runs safely.
    ///
    /// `blob` must start at a 16-byte boundary and end where its header says. Whether it arrived undamaged is the question of
    /// [`received`](crate::blob::received), which unlike this reads the weights.
    ///
    /// # Errors
    /// A [`LoadError`] that names the first fault found. Time is proportional to the number of channels, plus the metadata's
    /// length, plus operators times tensors that are live together.
    pub fn load(blob: &'m [u8]) -> Result<Self, LoadError> {
        let model = header::parse(blob)?;
        for (tensor, index) in model.tensors.iter().zip(0u16..) {
            header::check_tensor(tensor, index, model.arena_bytes, model.constants.len())?;
        }
        let mut plan = Plan::new(&model)?;
        for (record, index) in model.records.iter().zip(0u16..) {
            plan.admit(&model, record, &model.checked(record, index)?, index)?;
        }
        Ok(model)
    }

    /// Looks at every weight, which [`Model::load`] does not: weights of 16 bits must be int8 (or the double of one, where the layout
    /// has doubled weights), and what fills up between weights must be zeros. A model that fails runs as safely as any other, but what it gives may
    /// differ from machine to machine. For whoever receives a blob.
    ///
    /// # Errors
    /// [`LoadError::BadWeights`].
    pub fn verify_weights(&self) -> Result<(), LoadError> {
        let mut operators = self.steps().zip(0u16..);
        let unclean = operators.find(|(step, _)| !step.operator.has_clean_weights());
        unclean.map_or(Ok(()), |(_, operator)| Err(LoadError::BadWeights { operator }))
    }

    /// Bytes of arena a session needs.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// Length of the blob.
    pub fn blob_bytes(&self) -> usize {
        self.blob_bytes
    }

    /// All tensors.
    pub fn tensors(&self) -> &'m [Tensor] {
        self.tensors
    }

    /// What constant tensors lie in.
    pub(crate) fn constants(&self) -> &'m [u8] {
        self.constants
    }

    /// Tensor number `i` of the network's inputs.
    pub fn input(&self, i: usize) -> Option<&'m Tensor> {
        self.tensor(*self.inputs.get(i)?)
    }

    /// Tensor number `i` of the network's outputs.
    pub fn output(&self, i: usize) -> Option<&'m Tensor> {
        self.tensor(*self.outputs.get(i)?)
    }

    /// Which tensors are inputs.
    pub fn inputs(&self) -> &'m [u16] {
        self.inputs
    }

    /// Which tensors are outputs.
    pub fn outputs(&self) -> &'m [u16] {
        self.outputs
    }

    /// The operators, in the order they run.
    pub fn steps(&self) -> impl Iterator<Item = Step<'m>> + use<'m> {
        let model = *self;
        (0..model.records.len()).filter_map(move |index| model.step(index))
    }

    /// Number of operators.
    pub fn operators(&self) -> usize {
        self.records.len()
    }

    /// Operator number `index`.
    pub fn step(&self, index: usize) -> Option<Step<'m>> {
        let record = self.records.get(index)?;
        let operator = Operator::decode(record, self.constants, index as u16).ok()?;
        Some(Step { operator, sides: self.sides(record)?, scratch: record.scratch() })
    }

    /// Tensors read, and the tensor written, by operator number `index`.
    pub fn operands(&self, index: usize) -> Option<(&'m [u16], u16)> {
        self.records.get(index).map(|record| (record.reads(), record.outputs[0]))
    }

    /// Keys and values that travel with the network.
    pub fn metadata(&self) -> Metadata<'m> {
        self.metadata
    }

    /// Name of tensor number `index`, if it has one.
    pub fn tensor_name(&self, index: u16) -> Option<&'m str> {
        self.named(keys::TENSOR, index)
    }

    /// Name of operator number `index`, if it has one.
    pub fn operator_name(&self, index: u16) -> Option<&'m str> {
        self.named(keys::OPERATOR, index)
    }

    /// The Ed25519 signature, if there is one. It is not verified here.
    pub fn signature(&self) -> Option<&'m [u8; 64]> {
        self.signature
    }

    /// The cargo features of this crate without which the network is refused, some more than once.
    pub fn features(&self) -> impl Iterator<Item = &'static str> + use<'m> {
        let elements = self.tensors.iter().map(|tensor| tensor.element().feature()).filter(|name| !name.is_empty());
        elements.chain(self.steps().flat_map(|step| step.operator.features(step.sides).into_iter().flatten()))
    }

    /// Multiply-accumulates of one run.
    pub fn macs(&self) -> u64 {
        self.steps().map(|step| step.operator.macs(&step.sides)).fold(0, u64::saturating_add)
    }

    fn named(&self, prefix: &str, index: u16) -> Option<&'m str> {
        let matches = |key: &str| key.strip_prefix(prefix).and_then(|n| n.parse().ok()) == Some(index);
        self.metadata.into_iter().find_map(|(key, value)| matches(key).then_some(value))
    }

    fn tensor(&self, index: u16) -> Option<&'m Tensor> {
        self.tensors.get(usize::from(index))
    }

    #[inline(never)]
    fn sides(&self, record: &OperatorRecord) -> Option<Sides<'m>> {
        let (first, rest) = record.reads().split_first()?;
        let mut others = [None; MAX_INPUTS - 1];
        others.iter_mut().zip(rest).for_each(|(other, index)| *other = self.tensor(*index));
        Some(Sides { input: self.tensor(*first)?, others, output: self.tensor(record.outputs[0])? })
    }

    /// Operator number `index`, of `record`, whose tensors exist, when everything about it but its place in the plan is right.
    fn checked(&self, record: &OperatorRecord, index: u16) -> Result<Step<'m>, LoadError> {
        let operator = Operator::decode(record, self.constants, index)?;
        let operands = LoadError::BadOperands { operator: index };
        let reads = record.reads();
        let mut unused = record.inputs.get(reads.len()..).unwrap_or(&[]).iter().chain(&record.outputs[1..]);
        let unused = unused.all(|tensor| *tensor == NO_TENSOR);
        let fits = unused && operator.inputs().contains(&reads.len());
        let sides = self.sides(record).filter(|_| fits).ok_or(operands)?;
        if !operator.accepts(&sides) || sides.output.place() != Place::Arena {
            return Err(LoadError::BadElementType { operator: index });
        }
        let states = reads.len().saturating_sub(operator.states());
        if !sides.inputs().enumerate().all(|(i, tensor)| (tensor.place() == Place::State) == (i >= states)) {
            return Err(LoadError::BadElementType { operator: index });
        }
        operator.verify(sides, index)?;
        Ok(Step { operator, sides, scratch: record.scratch() })
    }
}
