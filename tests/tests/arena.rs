//! No board's arena is more than a tenth above what the activations of a network need at one moment, for networks as people build them:
//! chains, residual blocks, depthwise blocks, branches that are joined again. Scratch is in that tenth.

use ackermann_core::Model;
use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, TensorSpec};
use ackermann_core::blob::{Activation, Layout, Rounding, repack};
use ackermann_core::ops::{Add, Concat};
use ackermann_tests::cases::{self, Border, Numbers, Sliding};
use ackermann_trainer::board::BOARDS;
use ackermann_trainer::quant::{arena_lower_bound, assemble};

/// A network in the making.
struct Maker {
    numbers: Numbers,
    network: Network,
}

impl Maker {
    /// A picture whose sides are random, and a first convolution.
    fn new(seed: u64, sides: [(i64, i64); 2]) -> (Self, u16) {
        let mut maker = Self { numbers: Numbers(seed), network: Network::default() };
        let [height, width] = sides.map(|(least, most)| maker.numbers.between(least, most) as usize);
        let channels = maker.pick([1, 3]);
        let picture = maker.tensor([1, height, width, channels]);
        maker.network.inputs.push(picture);
        let (channels, stride) = (8 * maker.pick([1, 2, 3]), maker.pick([1, 2]));
        let first = maker.convolve(picture, channels, 3, stride);
        (maker, first)
    }

    fn pick<const N: usize>(&mut self, choices: [usize; N]) -> usize {
        choices[self.numbers.between(0, N as i64 - 1) as usize]
    }

    fn tensor(&mut self, shape: [usize; 4]) -> u16 {
        let shape = shape.map(|d| d as u32).to_vec();
        self.network.tensors.push(TensorSpec { shape, scale: 0.05, ..TensorSpec::default() });
        self.network.tensors.len() as u16 - 1
    }

    fn shape(&self, tensor: u16) -> [usize; 4] {
        std::array::from_fn(|i| self.network.tensors[usize::from(tensor)].shape[i] as usize)
    }

    fn operator(&mut self, inputs: &[u16], shape: [usize; 4], kind: OperatorKind) -> u16 {
        let output = self.tensor(shape);
        let operator = OperatorSpec { inputs: inputs.to_vec(), output, kind, name: String::new() };
        self.network.operators.push(operator);
        output
    }

    /// A window over `from` with as many outputs as strides fit.
    fn sliding(&self, from: u16, channels: usize, kernel: usize, stride: usize) -> Sliding {
        let [kernel, stride, dilation] = [kernel, stride, 1].map(|length| [length; 2]);
        Sliding { input: self.shape(from), channels, kernel, stride, dilation, border: Border::Same }
    }

    fn convolve(&mut self, from: u16, channels: usize, kernel: usize, stride: usize) -> u16 {
        let sliding = self.sliding(from, channels, kernel, stride);
        let (shape, window) = sliding.resolve().expect("a window that fits");
        let taps = kernel * kernel * sliding.input[3];
        let weighted = cases::weighted(&mut self.numbers, channels, taps, Rounding::Double, false);
        self.operator(&[from], shape, OperatorKind::Conv2d { window, weighted })
    }

    fn depthwise(&mut self, from: u16, stride: usize) -> u16 {
        let channels = self.shape(from)[3];
        let (shape, window) = self.sliding(from, channels, 3, stride).resolve().expect("a window that fits");
        let weighted = cases::weighted(&mut self.numbers, channels, 9, Rounding::Double, false);
        self.operator(&[from], shape, OperatorKind::DepthwiseConv2d { window, multiplier: 1, weighted })
    }

    fn pool(&mut self, from: u16) -> u16 {
        let (shape, window) = self.sliding(from, self.shape(from)[3], 2, 2).resolve().expect("a window that fits");
        self.operator(&[from], shape, OperatorKind::MaxPool { window, activation: Activation::NONE })
    }

    fn table(&mut self, from: u16) -> u16 {
        self.operator(&[from], self.shape(from), OperatorKind::Lut { table: [7; 256] })
    }

    fn add(&mut self, a: u16, b: u16) -> u16 {
        let sum = Add::for_scales([0.05; 2], 0.05, Activation::NONE).expect("a multiplier below one");
        self.operator(&[a, b], self.shape(a), OperatorKind::Add(sum))
    }

    fn join(&mut self, parts: &[u16]) -> u16 {
        let mut shape = self.shape(parts[0]);
        shape[3] = parts.iter().map(|part| self.shape(*part)[3]).sum();
        self.operator(parts, shape, OperatorKind::Concat(Concat { axis: 3 }))
    }

    /// A convolution with half as many rows and columns, and more channels.
    fn narrow(&mut self, from: u16) -> u16 {
        let channels = self.shape(from)[3] * 2;
        self.convolve(from, channels, 3, 2)
    }
}

fn chain(maker: &mut Maker, mut x: u16) -> u16 {
    for _ in 0..4 {
        let channels = maker.shape(x)[3];
        x = match maker.pick([0, 1, 2, 3]) {
            0 => maker.pool(x),
            1 => maker.table(x),
            2 => maker.convolve(x, channels, 3, 1),
            _ => maker.narrow(x),
        };
    }
    x
}

fn residual(maker: &mut Maker, mut x: u16) -> u16 {
    for _ in 0..3 {
        let channels = maker.shape(x)[3];
        let mut y = x;
        for _ in 0..maker.pick([1, 2]) {
            y = maker.convolve(y, channels, 3, 1);
        }
        x = if maker.pick([0, 1]) == 0 { maker.add(x, y) } else { maker.add(y, x) };
        if maker.pick([0, 1]) == 0 {
            x = maker.narrow(x);
        }
    }
    x
}

fn depthwise(maker: &mut Maker, mut x: u16) -> u16 {
    for _ in 0..4 {
        let stride = maker.pick([1, 1, 2]);
        x = maker.depthwise(x, stride);
        let channels = maker.shape(x)[3] * stride;
        x = maker.convolve(x, channels, 1, 1);
    }
    x
}

fn branches(maker: &mut Maker, mut x: u16) -> u16 {
    for _ in 0..2 {
        let channels = maker.shape(x)[3];
        let parts = [maker.convolve(x, channels / 2, 1, 1), maker.convolve(x, channels / 2, 3, 1), maker.table(x)];
        let joined = maker.pick([2, 3]);
        x = maker.join(&parts[..joined]);
        x = maker.narrow(x);
    }
    x
}

/// The most bytes that activations have at one moment: what is read later, and what is written then, unless it may take the place of an
/// input of its size that nobody reads later. No arena can do with less.
fn activations(network: &Network) -> usize {
    let bytes = |tensor: u16| network.tensors[usize::from(tensor)].bytes().next_multiple_of(16);
    let read_from = |moment: usize, tensor: u16| {
        network.outputs.contains(&tensor) || network.operators[moment..].iter().any(|op| op.inputs.contains(&tensor))
    };
    let mut live: Vec<u16> = network.inputs.clone();
    let mut most = 0;
    for (moment, operator) in network.operators.iter().enumerate() {
        live.retain(|tensor| read_from(moment, *tensor));
        let free = |input: &&u16| !read_from(moment + 1, **input) && bytes(**input) == bytes(operator.output);
        let in_place = match operator.kind {
            OperatorKind::Add(_) | OperatorKind::Lut { .. } | OperatorKind::DepthwiseConv2d { .. } => {
                operator.inputs.iter().any(|input| free(&input))
            }
            _ => false,
        };
        let written = if in_place { 0 } else { bytes(operator.output) };
        most = most.max(live.iter().map(|tensor| bytes(*tensor)).sum::<usize>() + written);
        live.push(operator.output);
    }
    most
}

/// The same with the scratch of the board layout that needs most: what the planner knows that it cannot beat.
fn with_scratch(network: &Network) -> usize {
    let layouts = Layout::ALL.into_iter().filter(|layout| layout.is_for_boards());
    layouts.map(|layout| arena_lower_bound(network, layout)).max().expect("there are layouts for boards")
}

/// The largest arena of networks of these blocks on any board, as a multiple of `bound`. Pictures have sides from `least` to `most`.
fn worst(blocks: fn(&mut Maker, u16) -> u16, (least, most): (i64, i64), bound: fn(&Network) -> usize) -> (f64, String) {
    let mut worst = (0.0, String::new());
    for seed in 0..40 {
        let (mut maker, first) = Maker::new(seed, [(least, most); 2]);
        let last = blocks(&mut maker, first);
        let mut network = maker.network;
        network.outputs.push(last);
        let blob = assemble(&mut network).unwrap_or_else(|error| panic!("network {seed}: {error}"));
        let bound = bound(&network);
        for board in &BOARDS {
            let packed = repack(&blob, board.blob_target()).expect("it can be packed");
            let arena = Model::load(&packed).expect("a valid blob").arena_bytes();
            let over = arena as f64 / bound as f64;
            if over > worst.0 {
                worst = (over, format!("network {seed} on {}: an arena of {arena} bytes, not {bound}", board.name));
            }
        }
    }
    worst
}

/// Scratch is a few rows of a picture, so that in small pictures it has a larger share: there only the plan is judged.
fn stays_near_the_bound(blocks: fn(&mut Maker, u16) -> u16) {
    for (sides, bound, most) in [((96, 160), activations as fn(&Network) -> usize, 1.1), ((32, 95), with_scratch, 1.01)]
    {
        let (over, example) = worst(blocks, sides, bound);
        println!("pictures of {sides:?}: at most {over:.3} times the bound; {example}");
        assert!(over <= most, "{over:.3} times the bound: {example}");
    }
}

#[test]
fn arenas_of_chains() {
    stays_near_the_bound(chain);
}

#[test]
fn arenas_of_residual_blocks() {
    stays_near_the_bound(residual);
}

#[test]
fn arenas_of_depthwise_blocks() {
    stays_near_the_bound(depthwise);
}

#[test]
fn arenas_of_branches() {
    stays_near_the_bound(branches);
}
