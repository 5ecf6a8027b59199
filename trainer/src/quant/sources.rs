//! Where each value's scale and zero point come from.

use super::Quantization;
use super::observe::Seen;
use super::program::{FloatGraph, Kind, Program, Scale};
use crate::{Error, Result};

/// Where a value's quantization comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    /// Given, or the only one that its operator has.
    Fixed(Quantization),
    /// Whole numbers, which have none.
    Integers,
    /// A range, times two to the power of two factors (of its ends) that training may learn, row `row` of them all.
    Range {
        /// Which factors.
        row: usize,
        /// Smallest value.
        low: f32,
        /// Largest value.
        high: f32,
    },
}

impl Source {
    /// The quantization with these factors, `[rows, 2]`; missing ones are 0.
    pub fn at(self, factors: &[f32]) -> Quantization {
        match self {
            Self::Fixed(quantization) => quantization,
            Self::Integers => Quantization { scale: 1.0, zero_point: 0 },
            Self::Range { row, low, high } => {
                let factor = |end: usize| factors.get(2 * row + end).copied().unwrap_or(0.0).exp2();
                Quantization::of_range(low * factor(0), high * factor(1))
            }
        }
    }
}

/// The sources of all values of `program`, given what was `seen` (one entry per value), and how many rows of factors they have.
///
/// Values that share their bytes' meaning (a pool's sides, all sides of a concatenation) form a group with one range: all that
/// was seen of the values that are computed into it. What is given to one that is passed on holds for all; what is given to one that is computed (an
/// input) only where there is nothing else.
///
/// # Errors
/// A value whose quantization is neither given nor fixed by its operator nor seen.
pub fn sources(float: &FloatGraph, program: &Program, seen: Option<&[Seen]>) -> Result<(Vec<Source>, usize)> {
    let groups = Groups::new(float, program);
    let mut rows: Vec<usize> = Vec::new();
    let mut of_group = |value: usize| {
        let group = groups.group[value];
        let members = || (0..groups.group.len()).filter(|member| groups.group[*member] == group);
        if let Some(given) = groups.given(group, seen.is_some()) {
            return Ok(given);
        }
        let seen = seen.ok_or_else(|| uncalibrated(float, program, value))?;
        let row = rows.iter().position(|known| *known == group).unwrap_or_else(|| {
            rows.push(group);
            rows.len() - 1
        });
        let sources = members().filter(|member| groups.computed[*member]).map(|member| &seen[member]);
        let range = |(low, high): (f32, f32), s: &Seen| (low.min(s.low), high.max(s.high));
        let (low, high) = sources.fold((f32::INFINITY, f32::NEG_INFINITY), range);
        Ok(Source::Range { row, low, high })
    };
    let all = (0..groups.group.len()).map(|value| groups.fixed[value].map_or_else(|| of_group(value), Ok));
    let all = all.collect::<Result<Vec<_>>>()?;
    Ok((all, rows.len()))
}

/// Which values have one quantization.
struct Groups {
    /// A number for each value, the same for those of one group.
    group: Vec<usize>,
    fixed: Vec<Option<Source>>,
    /// Whether a value is made by arithmetic, not passed on.
    computed: Vec<bool>,
}

impl Groups {
    fn new(float: &FloatGraph, program: &Program) -> Self {
        let nodes = program.nodes();
        let first = program.inputs.len();
        let given = |id| float.given.values.get(id).copied().map(Source::Fixed);
        let mut groups = Self {
            group: (0..nodes.len()).collect(),
            fixed: nodes.iter().map(given).collect(),
            computed: vec![true; nodes.len()],
        };
        program.integers.iter().for_each(|value| groups.fixed[*value] = Some(Source::Integers));
        for (index, step) in program.steps.iter().enumerate() {
            let Kind::Other(other) = &step.kind else { continue };
            if other.scale == Scale::OfInputs {
                groups.computed[first + index] = false;
                step.inputs
                    .iter()
                    .filter(|input| !program.integers.contains(input))
                    .for_each(|input| groups.join(*input, first + index));
            } else if let (Scale::Fixed(scale), None) = (other.scale, groups.fixed[first + index]) {
                groups.fixed[first + index] = Some(Source::Fixed(scale));
            }
        }
        groups
    }

    /// What is given to a member that decides for the group.
    fn given(&self, group: usize, seen: bool) -> Option<Source> {
        let members = || (0..self.group.len()).filter(|member| self.group[*member] == group);
        let passed = members().filter(|member| !self.computed[*member]).find_map(|member| self.fixed[member]);
        let open = seen && members().any(|member| self.computed[member] && self.fixed[member].is_none());
        passed.or_else(|| members().find_map(|member| self.fixed[member]).filter(|_| !open))
    }

    fn join(&mut self, from: usize, to: usize) {
        let (from, to) = (self.group[from], self.group[to]);
        self.group.iter_mut().filter(|member| **member == to).for_each(|member| *member = from);
    }
}

fn uncalibrated(float: &FloatGraph, program: &Program, value: usize) -> Error {
    let name = match value.checked_sub(program.inputs.len()) {
        Some(step) => &program.steps[step].name,
        None => &float.graph.node(program.inputs[value]).name,
    };
    Error::usage(name, "is float and the file gives it no range: show its values with --calibrate INPUTS")
}
