//! Cross-layer equalization (Nagel et al. 2019): channels that one scale would have to serve at very different sizes are made alike.
//!
//! Between a layer that writes a channel and the layer that reads it, the channel may be divided by any positive number if the reader's weights are
//! multiplied by it: ReLU, PReLU, pools, means over positions, resizes and reshapes that keep the order of channels pass the factor on. The function stays the same.
//!
//! The paper balances the rows of the first layer's weights against the columns of the second's. Here rows have scales of their own, and what one scale
//! covers are the activations: those are balanced against the columns (as SmoothQuant does, Xiao et al. 2022).

use super::observe::Seen;
use super::program::{FloatGraph, Program};
use crate::graph::{NodeId, Params};
use crate::ops::Op;

/// Passes over all pairs; a chain of layers settles within a few.
const ROUNDS: usize = 10;
/// Largest factor of one pass, either way.
const MOST: f32 = 1024.0;

/// A layer that writes channels and the one that reads them.
#[derive(Debug)]
struct Pair {
    /// Weights (or factors) and bias of the first, output channel outermost.
    rows: Vec<String>,
    /// Weights of the second.
    columns: String,
    /// Elements of `columns` in a row that belong to one channel, where a channel has rows of its own (depthwise).
    own_rows: bool,
    /// Largest magnitude of each channel between them.
    peaks: Vec<f32>,
}

/// Parameters of `float` with all pairs equalized, given what was `seen`; `None` where it has no pair.
pub fn equalize(float: &FloatGraph, program: &Program, seen: &[Seen]) -> Option<Params> {
    let mut pairs: Vec<Pair> = float.graph.ids().filter_map(|node| pair(float, program, seen, node)).collect();
    if pairs.is_empty() {
        return None;
    }
    let mut params = float.params.clone();
    for _ in 0..ROUNDS {
        for pair in &mut pairs {
            pair.balance(&mut params);
        }
    }
    Some(params)
}

/// The pair whose second layer is `reader`.
fn pair(float: &FloatGraph, program: &Program, seen: &[Seen], reader: NodeId) -> Option<Pair> {
    let node = float.graph.node(reader);
    let own_rows = match node.op {
        Op::Conv2d(_) | Op::Dense(_) => false,
        Op::DepthwiseConv2d(_) => true,
        _ => return None,
    };
    let between = *node.inputs.first()?;
    let writer = writer(float, between)?;
    let channels = *float.graph.shape(writer).last()?;
    // A filter of its own for each of a pixel's channels must be one for each of the writer's: not where a reshape made one pixel of several.
    if own_rows && float.graph.shape(between).last() != Some(&channels) {
        return None;
    }
    let inputs = &float.graph.node(writer).inputs;
    let rows = inputs.get(1..3.min(inputs.len()))?.iter().map(|id| own(float, *id)).collect::<Option<Vec<_>>>()?;
    let columns = own(float, *node.inputs.get(1)?)?;
    let value = seen.get(*program.values.get(&between)?)?;
    let whole = channels > 0 && value.peak.len().is_multiple_of(channels);
    let mut peaks = vec![0f32; channels];
    for pixel in value.peak.chunks_exact(channels.max(1)) {
        peaks.iter_mut().zip(pixel).for_each(|(peak, x)| *peak = peak.max(*x));
    }
    whole.then_some(Pair { rows, columns, own_rows, peaks })
}

/// The layer whose channels reach `between` with nothing but factors passed on, and nobody else reading.
fn writer(float: &FloatGraph, between: NodeId) -> Option<NodeId> {
    let mut at = between;
    loop {
        let readers = float.graph.nodes().iter().filter(|node| node.inputs.contains(&at)).count();
        if readers != 1 || float.outputs.contains(&at) || float.given.values.contains_key(&at) {
            return None;
        }
        let node = float.graph.node(at);
        let from = *node.inputs.first()?;
        let channels = |id: NodeId| float.graph.shape(id).last().copied().unwrap_or(0);
        let passes = match &node.op {
            Op::Conv2d(_)
            | Op::DepthwiseConv2d(_)
            | Op::GroupedConv2d(_)
            | Op::Dense(_)
            | Op::BatchNorm(_)
            | Op::LayerNorm(_) => {
                return Some(at);
            }
            Op::Relu(_) | Op::Prelu(_) | Op::MaxPool(_) | Op::AvgPool(_) => true,
            Op::ResizeNearest(_) | Op::ResizeBilinear(_) => true,
            Op::Mean(mean) => !mean.axes.contains(&(float.graph.shape(from).len() - 1)),
            // Channels stay innermost: of an image made a vector, each place has all of them in turn.
            Op::Reshape(_) => channels(from) > 0 && channels(at).is_multiple_of(channels(from)),
            _ => false,
        };
        at = passes.then_some(from)?;
    }
}

/// The name of a parameter that one layer alone reads and whose scale is free.
fn own(float: &FloatGraph, id: NodeId) -> Option<String> {
    let node = float.graph.node(id);
    let readers = float.graph.nodes().iter().filter(|node| node.inputs.contains(&id)).count();
    let given = float.given.weights.contains_key(&id) || float.given.biases.contains_key(&id);
    (matches!(node.op, Op::Parameter(_)) && readers == 1 && !given).then(|| node.name.clone())
}

impl Pair {
    /// The channel of element `at` of the second layer's weights.
    fn channel(&self, at: usize, elements: usize) -> usize {
        if self.own_rows { at * self.peaks.len() / elements.max(1) } else { at % self.peaks.len() }
    }

    /// One pass.
    fn balance(&mut self, params: &mut Params) {
        let strengths = self.strengths(params);
        let factors = factors(&self.peaks, &strengths);
        for name in &self.rows {
            let Some(param) = params.get_mut(name) else { continue };
            let row = (param.data.len() / factors.len()).max(1);
            let rows = param.data.chunks_mut(row).zip(&factors);
            rows.for_each(|(row, factor)| row.iter_mut().for_each(|value| *value /= factor));
        }
        if let Some(param) = params.get_mut(&self.columns) {
            let elements = param.data.len();
            let scaled = param.data.iter_mut().enumerate();
            scaled.for_each(|(at, value)| *value *= factors[self.channel(at, elements)]);
        }
        self.peaks.iter_mut().zip(&factors).for_each(|(peak, factor)| *peak /= factor);
    }

    /// How large the second layer's weights of each channel get, as shares of the largest in their row.
    fn strengths(&self, params: &Params) -> Vec<f32> {
        let mut strengths = vec![0f32; self.peaks.len()];
        let Some(param) = params.get(&self.columns) else { return strengths };
        let (rows, elements) = (param.shape.first().copied().unwrap_or(1).max(1), param.data.len());
        let taps = (elements / rows).max(1);
        for (row, weights) in param.data.chunks(taps).enumerate() {
            let largest = weights.iter().fold(f32::MIN_POSITIVE, |largest, w| largest.max(w.abs()));
            for (at, weight) in weights.iter().enumerate() {
                let strength = &mut strengths[self.channel(row * taps + at, elements)];
                *strength = strength.max(weight.abs() / largest);
            }
        }
        strengths
    }
}

/// Divisors of the channels: activations and weights get as large as each other, the mean magnitude stays.
fn factors(peaks: &[f32], strengths: &[f32]) -> Vec<f32> {
    let ratio = |(peak, strength): (&f32, &f32)| (peak / strength).sqrt();
    let ratios: Vec<f32> = peaks.iter().zip(strengths).map(ratio).collect();
    let alive = |ratio: &f32| ratio.is_finite() && *ratio > 0.0;
    let logarithms: Vec<f32> = ratios.iter().filter(|ratio| alive(ratio)).map(|ratio| ratio.ln()).collect();
    let mean = (logarithms.iter().sum::<f32>() / logarithms.len().max(1) as f32).exp();
    // A channel that is never seen or never read stays as it is.
    ratios.iter().map(|ratio| if alive(ratio) { (ratio / mean).clamp(1.0 / MOST, MOST) } else { 1.0 }).collect()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::graph::{Graph, Param};
    use crate::nn::{Layer, Network};
    use crate::ops::{Conv2d, Dense, DepthwiseConv2d, MaxPool, Padding, Relu, Reshape, Window};
    use crate::quant::observe::{Inputs, Observer, observe, run};
    use crate::quant::{Int8Predictor, assemble, quantize_graph};

    struct Noise(usize);

    impl Inputs for Noise {
        fn count(&self) -> usize {
            self.0
        }

        fn fill(&self, sample: usize, _: usize, values: &mut [f32]) {
            let mut rng = ChaCha8Rng::seed_from_u64(sample as u64);
            values.iter_mut().for_each(|value| *value = rng.random_range(-1.0..1.0));
        }
    }

    /// conv, ReLU, depthwise, ReLU, conv, pool, flatten, dense; channels made very different in a way that cancels.
    fn bad_network() -> FloatGraph {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut graph, mut params) = (Graph::new(), Params::new());
        let mut param = |graph: &mut Graph, name: &str, shape: &[usize]| {
            let data: Vec<f32> = (0..shape.iter().product()).map(|_| rng.random_range(-0.5..0.6)).collect();
            params.insert(Param { name: name.into(), shape: shape.into(), data, trainable: true }).unwrap();
            graph.param(name, shape)
        };
        let input = graph.input("input", [1, 8, 8, 3]);
        let mut weights = |graph: &mut Graph, name: &str, shape: &[usize]| {
            [param(graph, &format!("{name}.weight"), shape), param(graph, &format!("{name}.bias"), &shape[..1])]
        };
        let conv = || Conv2d { stride: [1, 1], dilation: [1, 1], padding: Padding::default() };
        let [w, b] = weights(&mut graph, "conv1", &[6, 3, 3, 3]);
        let x = graph.push_named("conv1", conv(), &[input, w, b]).unwrap();
        let x = graph.push(Relu, &[x]).unwrap();
        let [w, b] = weights(&mut graph, "dw", &[6, 3, 3]);
        let depthwise = DepthwiseConv2d { stride: [1, 1], dilation: [1, 1], padding: Padding::default() };
        let x = graph.push_named("dw", depthwise, &[x, w, b]).unwrap();
        let x = graph.push(Relu, &[x]).unwrap();
        let [w, b] = weights(&mut graph, "conv2", &[5, 1, 1, 6]);
        let x = graph.push_named("conv2", conv(), &[x, w, b]).unwrap();
        let x = graph.push(MaxPool { window: Window::new([2, 2], [2, 2], Padding::default()) }, &[x]).unwrap();
        let x = graph.push(Reshape { shape: [1, 20].into() }, &[x]).unwrap();
        let [w, b] = weights(&mut graph, "fc", &[4, 20]);
        let output = graph.push_named("fc", Dense, &[x, w, b]).unwrap();
        let spoil = |params: &mut Params, name: &str, channel: &dyn Fn(usize) -> usize, up: bool| {
            for (at, value) in params.get_mut(name).unwrap().data.iter_mut().enumerate() {
                let factor = 4f32.powi(channel(at) as i32 - 2);
                *value *= if up { factor } else { 1.0 / factor };
            }
        };
        spoil(&mut params, "conv1.weight", &|at| at / 27, true);
        spoil(&mut params, "conv1.bias", &|at| at, true);
        spoil(&mut params, "dw.weight", &|at| at / 9, false);
        spoil(&mut params, "conv2.weight", &|at| at / 6, true);
        spoil(&mut params, "conv2.bias", &|at| at, true);
        spoil(&mut params, "fc.weight", &|at| at % 5, false);
        FloatGraph { graph, params, inputs: vec![input], outputs: vec![output], ..FloatGraph::default() }
    }

    fn outputs(float: &FloatGraph) -> Vec<f32> {
        let program = Program::new(float).unwrap();
        let mut outputs = Vec::new();
        run(float, &program, &Noise(40), |_, value, values| {
            if value == program.outputs[0] {
                outputs.extend_from_slice(values);
            }
        })
        .unwrap();
        outputs
    }

    fn equalized(float: &FloatGraph) -> FloatGraph {
        let program = Program::new(float).unwrap();
        let seen = observe(float, &program, &Noise(40), false).unwrap();
        FloatGraph { params: equalize(float, &program, &seen).unwrap(), ..float.clone() }
    }

    /// Mean |int8 - float| relative to the mean |float|.
    fn error(float: &FloatGraph) -> f64 {
        let mut int8 = quantize_graph(float, Some(&Noise(40)), Observer::MinMax).unwrap();
        let blob = assemble(&mut int8).unwrap();
        let mut inputs = vec![0.0; 40 * 192];
        inputs.chunks_mut(192).enumerate().for_each(|(sample, values)| Noise(40).fill(sample, 0, values));
        let found = Int8Predictor::new(&blob).unwrap().predict_inputs(&inputs).unwrap();
        let (mut difference, mut size) = (0.0, 0.0);
        for (q, x) in found.iter().zip(outputs(float)) {
            difference += f64::from((q - x).abs());
            size += f64::from(x.abs());
        }
        difference / size
    }

    #[test]
    fn the_function_stays_and_every_pair_is_found() {
        let float = bad_network();
        let after = equalized(&float);
        for (before, after) in float.params.entries().iter().zip(after.params.entries()) {
            // The last bias follows no channel that is read.
            assert_eq!(before.data == after.data, before.name == "fc.bias", "{}", before.name);
        }
        let largest = outputs(&float).iter().fold(0f32, |largest, x| largest.max(x.abs()));
        for (a, b) in outputs(&float).iter().zip(outputs(&after)) {
            assert!((a - b).abs() < 1e-5 * largest, "{a} {b}");
        }
    }

    /// Two pixels that a reshape made one: filters of a depthwise convolution are no longer one for each channel that was written.
    #[test]
    fn channels_that_a_reshape_mixed_are_followed_or_left() {
        let each = |layer: Layer| {
            let reshape = Layer::Reshape { shape: vec![3, 3, 8] };
            vec![Layer::conv2d(4, 3, 1), Layer::Relu, reshape, layer, Layer::Flatten, Layer::dense(2)]
        };
        for (layers, follows) in [(each(Layer::conv2d(5, 2, 1)), true), (each(Layer::depthwise_conv2d(2, 1)), false)] {
            let network = Network::of_numbers("n", [8, 5, 3], layers);
            let mut params = network.init(4).unwrap();
            let weights = &mut params.get_mut("conv1.weight").unwrap().data;
            weights.iter_mut().enumerate().for_each(|(at, w)| *w *= 4f32.powi((at / 27) as i32));
            let float = FloatGraph::of(&network, &params, 1).unwrap();
            let after = equalized(&float);
            let first = |float: &FloatGraph| float.params.get("conv1.weight").unwrap().data.clone();
            assert_eq!(first(&float) != first(&after), follows);
            let largest = outputs(&float).iter().fold(0f32, |largest, x| largest.max(x.abs()));
            for (a, b) in outputs(&float).iter().zip(outputs(&after)) {
                assert!((a - b).abs() < 1e-5 * largest, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_bad_network_gets_good() {
        let float = bad_network();
        let (before, after) = (error(&float), error(&equalized(&float)));
        assert!(after < before / 2.0, "relative error {before} before, {after} after");
    }
}
