//! One layer as the int8 core computes it, in the middle of a graph of real numbers.

use std::collections::{BTreeSet, HashMap};

use ackermann_core::Session;
use ackermann_core::blob::AlignedBytes;
use rayon::prelude::*;

use crate::graph::{Graph, NodeId, Param, Params, Real, Shape};
use crate::ops::{Op, View};
use crate::quant::lower::lower;
use crate::quant::program::{FloatGraph, Given, Program};
use crate::quant::sources::Source;
use crate::quant::{assemble, for_this_machine, load};
use crate::{Error, ErrorKind, Result};

/// A step of a program on its own: from real inputs, parameters and factors of ranges to what the core makes of them.
#[derive(Debug)]
pub struct Int8Layer {
    /// The layer in float; its parameters are given at each run.
    float: FloatGraph,
    /// Nodes of the whole network's parameters that it reads.
    params: Vec<NodeId>,
    /// Values of the program that it reads.
    values: Vec<usize>,
    inputs: Vec<Source>,
    output: Source,
    shape: Shape,
}

impl Int8Layer {
    /// Step number `index`; `sources` of all values.
    pub fn new(float: &FloatGraph, program: &Program, index: usize, sources: &[Source]) -> Result<Self> {
        let (step, nodes) = (&program.steps[index], program.nodes());
        let mut values = step.inputs.clone();
        let mut known = BTreeSet::new();
        values.retain(|value| known.insert(*value));
        let (mut graph, mut new, mut given) = (Graph::new(), HashMap::new(), Given::default());
        for &value in &values {
            let node = float.graph.node(nodes[value]);
            let input = graph.input(&node.name, node.shape.clone());
            if sources[value] == Source::Integers {
                given.integers.insert(input);
            }
            new.insert(nodes[value], input);
        }
        let mut params = Vec::new();
        for id in between(float, step.node, &new) {
            let node = float.graph.node(id);
            let made = if matches!(node.op, Op::Parameter(_)) {
                params.push(id);
                graph.param(&node.name, node.shape.clone())
            } else {
                let inputs: Vec<NodeId> = node.inputs.iter().map(|input| new[input]).collect();
                graph.push_named(&node.name, node.op.clone(), &inputs)?
            };
            if let Some(scales) = float.given.weights.get(&id) {
                given.weights.insert(made, scales.clone());
            }
            new.insert(id, made);
        }
        let inputs = values.iter().map(|value| new[&nodes[*value]]).collect();
        let (outputs, shape) = (vec![new[&step.node]], float.graph.shape(step.node).clone());
        let layer = FloatGraph { graph, params: Params::new(), inputs, outputs, given, batch: float.batch };
        let inputs = values.iter().map(|value| sources[*value]).collect();
        Ok(Self { float: layer, params, values, inputs, output: sources[program.inputs.len() + index], shape })
    }

    /// Shape of the output.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Values of the program that it reads, each once.
    pub fn values(&self) -> &[usize] {
        &self.values
    }

    /// Parameters of the network that it reads.
    pub fn params(&self) -> &[NodeId] {
        &self.params
    }

    /// The real numbers that the core's int8 output stands for. `views`: the values read, the parameters, the factors of the ranges.
    ///
    /// # Errors
    /// Parameters or factors that are not finite or that no int8 layer can be made of.
    pub fn run<T: Real>(&self, views: &[View<'_, T>], output: &mut [T]) -> Result<()> {
        let (inputs, rest) = views.split_at(self.inputs.len());
        let (params, factors) = rest.split_at(self.params.len());
        let factors = factors.first().map_or(Vec::new(), |factors| single(factors.data));
        let blob = for_this_machine(&self.blob(params, &factors)?)?;
        let model = load(&blob)?;
        let (batch, to) = (self.float.batch(), self.output.at(&factors));
        let from: Vec<_> = self.inputs.iter().map(|source| source.at(&factors)).collect();
        let arena = || AlignedBytes::zeroed(model.arena_bytes());
        let samples = output.par_chunks_mut(output_len(output.len(), batch)).enumerate();
        samples.try_for_each_init(arena, |arena, (sample, output)| {
            let internal = |error| Error::new(ErrorKind::Internal, "", format!("the session did not start: {error}"));
            let mut session = Session::new(model, arena).map_err(internal)?;
            for (at, (view, source)) in inputs.iter().zip(&self.inputs).enumerate() {
                let length = view.data.len() / batch;
                let values = view.data[sample * length..][..length].iter().map(|x| x.to_f64() as f32);
                let bytes = session.input_mut(at).unwrap_or(&mut []);
                if *source == Source::Integers {
                    let words = values.flat_map(|x| (x as i32).to_le_bytes());
                    bytes.iter_mut().zip(words).for_each(|(byte, value)| *byte = value as i8);
                } else {
                    bytes.iter_mut().zip(values).for_each(|(q, x)| *q = from[at].quantize(x));
                }
            }
            session.run();
            let found = session.output(0).unwrap_or(&[]);
            output.iter_mut().zip(found).for_each(|(y, q)| *y = T::of(f64::from(to.dequantize(*q))));
            Ok(())
        })
    }

    fn blob<T: Real>(&self, params: &[View<'_, T>], factors: &[f32]) -> Result<AlignedBytes> {
        let mut float = self.float.clone();
        let names: Vec<String> = float
            .graph
            .nodes()
            .iter()
            .filter(|node| matches!(node.op, Op::Parameter(_)))
            .map(|node| node.name.clone())
            .collect();
        for (name, view) in names.into_iter().zip(params) {
            let data = single(view.data);
            if data.iter().any(|value| !value.is_finite()) {
                return Err(Error::new(ErrorKind::NotFinite, name, "holds values that are not finite"));
            }
            float.params.insert(Param { name, shape: view.shape.clone(), data, trainable: false })?;
        }
        let ends = float.inputs.iter().zip(&self.inputs).chain(float.outputs.iter().zip([&self.output]));
        for (node, source) in ends.filter(|(_, source)| **source != Source::Integers) {
            float.given.values.insert(*node, source.at(factors));
        }
        let program = Program::new(&float)?;
        assemble(&mut lower(&float, &program, None, false)?)
    }
}

fn output_len(elements: usize, batch: usize) -> usize {
    (elements / batch).max(1)
}

fn single<T: Real>(values: &[T]) -> Vec<f32> {
    values.iter().map(|value| value.to_f64() as f32).collect()
}

/// The nodes that `node` is computed by from `known` ones, itself included, in topological order.
fn between(float: &FloatGraph, node: NodeId, known: &HashMap<NodeId, NodeId>) -> BTreeSet<NodeId> {
    let (mut found, mut open) = (BTreeSet::new(), vec![node]);
    while let Some(id) = open.pop() {
        if !known.contains_key(&id) && found.insert(id) {
            open.extend(&float.graph.node(id).inputs);
        }
    }
    found
}
