//! Recurrent operators in blobs: their gates as the trainer has them, folded and ordered, and back.

use std::vec::Vec;

use super::Layout;
use super::format::{FLAG_BOUNDED, OperatorRecord};
use super::write::WriteError;
use crate::ops::recurrent::{
    self,
    matrix::{index, weight_bytes},
};
use crate::ops::{Matrix, Recurrent, RowScale, Rows};
use crate::quantized::{BOUND, is_bounded_shift, sum_bound};

/// The gates of a recurrent operator. Rows stand gate after gate, within a gate unit after unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecurrentSpec {
    /// From the input: gates x units x inputs.
    pub input: MatrixSpec,
    /// From the hidden state: gates x units x units.
    pub hidden: MatrixSpec,
    /// Whether the outermost dimension is time (else it is the batch).
    pub time_major: bool,
    /// Whether the sequence is read from its end.
    pub backward: bool,
}

/// A matrix and how its sums become int16.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MatrixSpec {
    /// Row-major.
    pub weights: Vec<i8>,
    /// One per row, in units of vector scale x weight scale; the vector's zero point is not folded in.
    pub bias: Vec<i32>,
    /// Multiplier and shift of each row ([`crate::quantized::quantize_multiplier`] of vector scale x weight scale / scale of
    /// the sums, which is 2^-12 before a logistic or tanh).
    pub multipliers: Vec<(i32, i32)>,
}

impl MatrixSpec {
    fn columns(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    /// Whether every row qualifies for the short requantization.
    fn bounded(&self, zero_point: i32) -> bool {
        let short = |row| {
            let folded = self.folded(row, zero_point);
            folded.is_some_and(|(bias, s)| sum_bound(bias, self.columns()) < BOUND && is_bounded_shift(-s.right))
        };
        (0..self.bias.len()).all(short)
    }

    /// Row number `row` with the zero point folded into its bias; `None` where that leaves 32 bits.
    fn folded(&self, row: usize, zero_point: i32) -> Option<(i32, RowScale)> {
        let (columns, (multiplier, shift)) = (self.columns(), self.multipliers[row]);
        let sum: i64 = self.weights[row * columns..][..columns].iter().map(|w| i64::from(*w)).sum();
        let bias = i32::try_from(i64::from(self.bias[row]) - i64::from(zero_point) * sum).ok()?;
        Some((bias, RowScale::new(multiplier, shift.clamp(-31, 30))))
    }
}

impl RecurrentSpec {
    /// Scratch of an operator with so many gates.
    pub(super) fn scratch_bytes(&self, gates: usize) -> usize {
        recurrent::scratch_bytes(self.input.columns(), self.units(gates), self.input.bias.len().div_ceil(4))
    }

    /// Units of an operator with so many gates.
    fn units(&self, gates: usize) -> usize {
        self.hidden.bias.len() / gates
    }

    fn consistent(&self, gates: usize) -> bool {
        let (rows, units) = (self.input.bias.len(), self.units(gates));
        let whole = |spec: &MatrixSpec| spec.bias.len() == rows && spec.multipliers.len() == rows;
        let inputs = self.input.weights.len() / rows.max(1);
        units > 0
            && rows == gates * units
            && whole(&self.input)
            && whole(&self.hidden)
            && inputs * rows == self.input.weights.len()
            && self.hidden.weights.len() == rows * units
    }

    /// Layout, flags and the parameters that all recurrent operators have; and the two constants. `zero_points` are those of
    /// the input and of the hidden state.
    pub(super) fn pack(
        &self,
        gates: usize,
        operator: usize,
        zero_points: [i32; 2],
        layout: Layout,
        record: &mut OperatorRecord,
    ) -> Result<[Vec<u8>; 2], WriteError> {
        if !self.consistent(gates) {
            return Err(WriteError::Inconsistent { operator });
        }
        let layout = if layout == Layout::Dsp { Layout::Dsp } else { Layout::Natural };
        let parts = [(&self.input, zero_points[0]), (&self.hidden, zero_points[1])];
        let bounded = parts.iter().all(|(spec, zero_point)| spec.bounded(*zero_point));
        let (mut weights, mut rows) = (Vec::new(), Vec::new());
        for (spec, zero_point) in parts {
            weights.extend(ordered(spec, gates, layout));
            for mut block in blocks(spec, gates, zero_point).ok_or(WriteError::BiasOverflow { operator })? {
                if bounded && layout == Layout::Dsp {
                    block.bias = block.bias.map(|bias| 2 * bias);
                }
                rows.extend_from_slice(bytemuck::bytes_of(&block));
            }
        }
        record.layout = layout as u8;
        record.flags = if bounded { FLAG_BOUNDED } else { 0 };
        let sizes = [self.input.columns(), self.units(gates)].map(|size| i32::try_from(size).unwrap_or(-1));
        let flags = [self.time_major, self.backward].map(i32::from);
        record.parameters[..4].copy_from_slice(&[sizes[0], sizes[1], flags[0], flags[1]]);
        Ok([weights, rows])
    }

    /// What `recurrent`, which runs between these zero points, was written from.
    pub(super) fn unpack(recurrent: &Recurrent<'_>, gates: usize, zero_points: [i32; 2]) -> Self {
        let units = recurrent.units();
        Self {
            input: unpack(&recurrent.input, gates, units, zero_points[0]),
            hidden: unpack(&recurrent.hidden, gates, units, zero_points[1]),
            time_major: recurrent.time_major,
            backward: recurrent.backward,
        }
    }
}

/// Where row `at` of a blob (units outside) stands in a spec (gates outside).
fn source(at: usize, gates: usize, units: usize) -> Option<usize> {
    (at < gates * units).then(|| at % gates * units + at / gates)
}

fn ordered(spec: &MatrixSpec, gates: usize, layout: Layout) -> Vec<u8> {
    let (rows, columns) = (spec.bias.len(), spec.columns());
    let mut bytes = vec![0; weight_bytes(layout, rows.div_ceil(4), columns).unwrap_or(0)];
    for at in 0..rows {
        let Some(row) = source(at, gates, rows / gates) else { continue };
        for (column, weight) in spec.weights[row * columns..][..columns].iter().enumerate() {
            let place = index(layout, columns, at, column);
            bytes[place] = *weight as u8;
            if layout == Layout::Dsp {
                bytes[place + 1] = (i16::from(*weight) >> 8) as u8;
            }
        }
    }
    bytes
}

fn blocks(spec: &MatrixSpec, gates: usize, zero_point: i32) -> Option<Vec<Rows>> {
    let rows = spec.bias.len();
    let mut blocks = vec![Rows::default(); rows.div_ceil(4)];
    for at in 0..rows.next_multiple_of(4) {
        let block = &mut blocks[at / 4];
        // A row without use: zero, divided by two so that it does not stand in the way of the short form.
        let folded =
            source(at, gates, rows / gates).map_or(Some((0, RowScale::new(0, -1))), |row| spec.folded(row, zero_point));
        (block.bias[at % 4], block.scale[at % 4]) = folded?;
    }
    Some(blocks)
}

fn unpack(matrix: &Matrix<'_>, gates: usize, units: usize, zero_point: i32) -> MatrixSpec {
    let mut spec = MatrixSpec::default();
    for row in 0..gates * units {
        let at = row % units * gates + row / units;
        let (block, i) = (&matrix.rows[at / 4], at % 4);
        let weights = (0..matrix.columns).map(|column| matrix.weight(at, column));
        let sum: i32 = weights.clone().map(i32::from).sum();
        spec.weights.extend(weights);
        spec.bias.push(matrix.bias(block.bias[i]).wrapping_add(zero_point.wrapping_mul(sum)));
        spec.multipliers.push((block.scale[i].multiplier, -block.scale[i].right));
    }
    spec
}
