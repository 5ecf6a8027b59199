//! Networks of one operator that moves elements, or combines two tensors one by one.

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, Storage, TensorSpec};
use ackermann_core::blob::{Activation, Element};
use ackermann_core::ops::resize_nearest::nearest;
use ackermann_core::ops::{
    Add, Argmax, Concat, Gather, Mean, Mul, Pad, Prelu, Requantize, ResizeBilinear, StridedSlice, Sub, Transpose,
};
use ackermann_core::quantized::Multiplier;

use super::{Numbers, zero_point};

/// What is to be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Movement {
    Add,
    Sub,
    Mul,
    Prelu,
    Concat,
    StridedSlice,
    Pad,
    Transpose,
    Mean,
    ResizeNearest,
    ResizeBilinear,
    Argmax,
    Gather,
    Requantize,
}

impl Movement {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Prelu,
        Self::Concat,
        Self::StridedSlice,
        Self::Pad,
        Self::Transpose,
        Self::Mean,
        Self::ResizeNearest,
        Self::ResizeBilinear,
        Self::Argmax,
        Self::Gather,
        Self::Requantize,
    ];
}

/// Tensors in the making, one after the other in the arena.
struct Tensors {
    specs: Vec<TensorSpec>,
    end: usize,
}

impl Tensors {
    fn push(&mut self, shape: &[usize], element: Element, zero_point: i32) -> u16 {
        let mut spec = super::tensor(shape, if element == Element::Int8 { zero_point } else { 0 }, self.end);
        spec.element = element;
        self.end += spec.bytes().next_multiple_of(16);
        self.specs.push(spec);
        self.specs.len() as u16 - 1
    }
}

/// A network of this operator on an input of `shape` (1 to 4 dimensions), all else random.
pub fn movement(what: Movement, shape: &[usize], seed: u64) -> Network {
    let mut n = Numbers(seed);
    let mut t = Tensors { specs: Vec::new(), end: 0 };
    let zero = zero_point(&mut n);
    let moved = [Element::Int8, Element::Int16, Element::Int32][n.between(0, 2) as usize];
    let mut reads = vec![];
    let (kind, output, element, out_zero) = match what {
        Movement::Add | Movement::Sub | Movement::Mul | Movement::Prelu => {
            let (left, right) = (broadcast(&mut n, shape), broadcast(&mut n, shape));
            let int16 = what != Movement::Prelu && n.between(0, 2) == 0;
            let element = if int16 { Element::Int16 } else { Element::Int8 };
            reads.push(t.push(&left, element, zero));
            let zero = zero_point(&mut n);
            reads.push(t.push(&right, element, zero));
            let output: Vec<usize> = whole(&left, &right);
            let kind = if int16 { combination_of_int16(&mut n, what) } else { combination(&mut n, what) };
            (kind, output, element, zero_point(&mut n))
        }
        Movement::Concat => {
            let axis = n.between(0, shape.len() as i64 - 1) as usize;
            let mut output = shape.to_vec();
            output[axis] = 0;
            for _ in 0..n.between(1, 8) {
                let mut part = shape.to_vec();
                part[axis] = n.between(1, 4) as usize;
                output[axis] += part[axis];
                reads.push(t.push(&part, moved, zero));
            }
            (OperatorKind::Concat(Concat { axis: axis + 4 - shape.len() }), output, moved, zero)
        }
        Movement::Gather => {
            let axis = n.between(0, shape.len() as i64 - 1) as usize;
            let count = n.between(1, 5) as usize;
            let mut output = shape.to_vec();
            output[axis] = count;
            reads = vec![t.push(shape, moved, zero), t.push(&[count], Element::Int32, 0)];
            (OperatorKind::Gather(Gather { axis: axis + 4 - shape.len() }), output, moved, zero)
        }
        Movement::ResizeNearest | Movement::ResizeBilinear => {
            let shape = &extended(shape)[..];
            reads.push(t.push(shape, Element::Int8, zero));
            let output = [shape[0], n.between(1, 9) as usize, n.between(1, 9) as usize, shape[3]];
            (resize(&mut n, what, shape, &output), output.to_vec(), Element::Int8, zero)
        }
        _ => {
            let element = match what {
                Movement::Transpose | Movement::StridedSlice | Movement::Requantize => moved,
                _ => Element::Int8,
            };
            reads.push(t.push(shape, element, zero));
            rearranged(&mut n, what, shape, element, zero)
        }
    };
    let written = t.push(&output, element, out_zero);
    let operators = vec![OperatorSpec { inputs: reads.clone(), output: written, kind, name: String::new() }];
    let mut network = Network { tensors: t.specs, operators, inputs: reads, outputs: vec![written], metadata: vec![] };
    if network.inputs.len() == 2 && n.between(0, 1) == 0 {
        constant(&mut network, &mut n);
    }
    network
}

/// The second input becomes a constant of random bytes.
fn constant(network: &mut Network, numbers: &mut Numbers) {
    let second = usize::from(network.inputs.pop().expect("two inputs"));
    let tensor = &mut network.tensors[second];
    let bytes = match tensor.element {
        // Indices, some of them outside.
        Element::Int32 => (0..tensor.elements()).flat_map(|_| (numbers.between(-1, 6) as i32).to_le_bytes()).collect(),
        _ => numbers.bytes(tensor.bytes()).iter().map(|q| *q as u8).collect(),
    };
    (tensor.storage, tensor.arena_offset) = (Storage::Constant(bytes), 0);
}

fn extended(shape: &[usize]) -> [usize; 4] {
    let mut extended = [1; 4];
    extended[4 - shape.len()..].copy_from_slice(shape);
    extended
}

/// Some dimensions become 1, perhaps leading ones go.
fn broadcast(n: &mut Numbers, shape: &[usize]) -> Vec<usize> {
    let mut smaller: Vec<usize> = shape.iter().map(|d| if n.between(0, 3) == 0 { 1 } else { *d }).collect();
    while smaller.len() > 1 && smaller[0] == 1 && n.between(0, 1) == 0 {
        smaller.remove(0);
    }
    smaller
}

fn whole(left: &[usize], right: &[usize]) -> Vec<usize> {
    let (left, right) = (extended(left), extended(right));
    (0..4).map(|d| left[d].max(right[d])).collect()
}

fn any(n: &mut Numbers, shifts: [i64; 2]) -> Multiplier {
    let multiplier = n.between(1 << 30, i64::from(i32::MAX)) as i32;
    Multiplier { multiplier, shift: n.between(shifts[0], shifts[1]) as i32 }
}

fn combination(n: &mut Numbers, what: Movement) -> OperatorKind {
    let activation = if n.between(0, 1) == 0 { Activation::NONE } else { Activation { min: -90, max: 77 } };
    match what {
        Movement::Add | Movement::Sub => {
            let inputs = [any(n, [-3, 0]), any(n, [-3, 0])];
            let sum = Add { inputs, output: any(n, [-21, -17]), activation };
            if what == Movement::Add { OperatorKind::Add(sum) } else { OperatorKind::Sub(Sub(sum)) }
        }
        Movement::Mul => OperatorKind::Mul(Mul { output: any(n, [-9, -5]), activation }),
        _ => OperatorKind::Prelu(Prelu { identity: any(n, [-2, 1]), slope: any(n, [-9, -6]) }),
    }
}

/// int16 has no fused activation, and products of up to 31 bits.
fn combination_of_int16(n: &mut Numbers, what: Movement) -> OperatorKind {
    let activation = Activation::NONE;
    let inputs = [any(n, [-3, -1]), any(n, [-3, -1])];
    let sum = Add { inputs, output: any(n, [-16, -12]), activation };
    match what {
        Movement::Add => OperatorKind::Add(sum),
        Movement::Sub => OperatorKind::Sub(Sub(sum)),
        _ => OperatorKind::Mul(Mul { output: any(n, [-17, -12]), activation }),
    }
}

fn resize(n: &mut Numbers, what: Movement, from: &[usize], to: &[usize]) -> OperatorKind {
    let (aligned, half) = (n.between(0, 1) == 0, n.between(0, 1) == 0);
    if what == Movement::ResizeBilinear {
        let sizes = |shape: &[usize]| [shape[1] as u32, shape[2] as u32];
        let spec = ResizeBilinear::for_sizes(sizes(from), sizes(to), aligned, half && !aligned);
        return OperatorKind::ResizeBilinear(spec.expect("small sizes"));
    }
    let axis = |axis: usize| nearest(from[axis] as u16, to[axis] as u16, aligned, half && !aligned);
    OperatorKind::ResizeNearest { table: [axis(1), axis(2)].concat() }
}

/// Operators on one input: kind, output shape, element and zero point.
fn rearranged(
    n: &mut Numbers,
    what: Movement,
    shape: &[usize],
    element: Element,
    zero: i32,
) -> (OperatorKind, Vec<usize>, Element, i32) {
    let whole = extended(shape);
    match what {
        Movement::Transpose => {
            let mut order = [0, 1, 2, 3];
            (1..4).for_each(|i| order.swap(i, n.between(0, i as i64) as usize));
            (OperatorKind::Transpose(Transpose { order }), order.map(|d| whole[d]).to_vec(), element, zero)
        }
        Movement::StridedSlice => {
            let (mut begin, mut step, mut output) = ([0; 4], [1isize; 4], [1; 4]);
            for d in 0..4 {
                begin[d] = n.between(0, whole[d] as i64 - 1) as usize;
                step[d] = [1, 1, 2, -1, -3][n.between(0, 4) as usize];
                let room = if step[d] > 0 { whole[d] - 1 - begin[d] } else { begin[d] };
                output[d] = n.between(1, (room / step[d].unsigned_abs()) as i64 + 1) as usize;
            }
            (OperatorKind::StridedSlice(StridedSlice { begin, step }), output.to_vec(), element, zero)
        }
        Movement::Pad => {
            let before: [usize; 4] = std::array::from_fn(|_| n.between(0, 2) as usize);
            let output = (0..4).map(|d| before[d] + whole[d] + n.between(0, 2) as usize).collect();
            let value = n.between(-128, 127) as i8;
            (OperatorKind::Pad(Pad { before, value }), output, element, zero)
        }
        Movement::Mean => {
            let over: [bool; 4] = std::array::from_fn(|_| n.between(0, 1) == 0);
            let output: Vec<usize> = (0..4).map(|d| if over[d] { 1 } else { whole[d] }).collect();
            let count = whole.iter().product::<usize>() / output.iter().product::<usize>();
            let scale = n.between(1, 60) as f32 * 1e-3;
            let mean = Mean::for_scales(over, scale, 0.05, count);
            let even = || Mean::for_scales(over, 0.05, 0.06, count).expect("below one");
            (OperatorKind::Mean(mean.unwrap_or_else(even)), output, element, zero_point(n))
        }
        Movement::Argmax => {
            let axis = n.between(0, 3) as usize;
            let mut output = whole;
            output[axis] = 1;
            let kind = OperatorKind::Argmax(Argmax { axis, smallest: n.between(0, 1) == 0 });
            (kind, output.to_vec(), Element::Int32, 0)
        }
        _ => {
            let to = [Element::Int8, Element::Int16, Element::Int32][n.between(0, 2) as usize];
            let shift = if element == Element::Int32 { [-24, 0] } else { [-9, 3] };
            let range = if n.between(0, 1) == 0 { Requantize::ALL } else { [-100, 90] };
            let kind = OperatorKind::Requantize(Requantize { scale: any(n, shift), range });
            let out_zero = zero_point(n);
            (kind, shape.to_vec(), to, if to == Element::Int8 { out_zero } else { 0 })
        }
    }
}
