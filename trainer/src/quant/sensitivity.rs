//! Which layers int8 costs most: each one alone in int8, and all but it.

use serde::Serialize;

use super::observe::{Observer, Recorded, observe_by, spread};
use super::program::{FloatGraph, Kind, Program, Step};
use super::qat::{FACTORS, FakeQuantized, Purpose};
use super::sources::{Source, sources};
use crate::data::metrics::class_of;
use crate::data::{Samples, Target};
use crate::graph::{Executor, Param};
use crate::nn::Network;
use crate::ops::Op;
use crate::train::Batch;
use crate::{Error, Result};

/// Samples run at once.
const BATCH: usize = 16;

/// What a network loses in int8, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensitivity {
    /// What the scores are: `mae` (less is better) or `accuracy` (more is better).
    pub metric: &'static str,
    /// Samples measured on.
    pub samples: usize,
    /// Score of the network in float.
    pub float: f64,
    /// All in int8.
    pub int8: Effect,
    /// The layers, in order.
    pub layers: Vec<LayerSensitivity>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSensitivity {
    /// Its name.
    pub name: String,
    /// What it computes.
    pub op: &'static str,
    /// With only this layer in int8: its inputs, weights and output rounded.
    pub only: Effect,
    /// With all layers in int8 but this one.
    pub all_but: Effect,
}

/// What a part of a network in int8 does to its output.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// Score on the targets.
    pub score: f64,
    /// How much worse than in float that is; negative where it is better.
    pub drop: f64,
    /// Float's output to the difference from it, 10 log10(sum of squares / sum of squares); `None` without a difference.
    pub sqnr_db: Option<f64>,
}

/// Measures on `count` of `samples`, with ranges by `observer` on `calibrated` of them.
///
/// # Errors
/// Samples of another shape or none, a layer the core cannot do, values that are not finite.
pub fn sensitivity(
    network: &Network,
    params: &crate::graph::Params,
    samples: &dyn Samples,
    observer: Observer,
    (calibrated, count): (usize, usize),
) -> Result<Sensitivity> {
    network.check(params)?;
    if samples.is_empty() || count == 0 {
        return Err(Error::usage("samples", "none were given; the sensitivity is measured on at least one"));
    }
    let indices = spread(samples.len(), count);
    let calibration = spread(samples.len(), calibrated);
    let partly = Partly::new(network, params, (samples, &calibration, &indices), observer)?;
    let float = partly.outputs(&|_| false)?;
    let score = partly.score(&float);
    let effect = |in_int8: &dyn Fn(usize) -> bool| -> Result<Effect> {
        let outputs = partly.outputs(in_int8)?;
        let found = partly.score(&outputs);
        let drop = if partly.is_class() { score - found } else { found - score };
        Ok(Effect { score: found, drop, sqnr_db: sqnr_db(&float, &outputs) })
    };
    let layer = |(at, step): (usize, &Step)| {
        let (only, all_but) = (effect(&|other| other == at)?, effect(&|other| other != at)?);
        Ok(LayerSensitivity { name: step.name.clone(), op: partly.op(step), only, all_but })
    };
    // A reshape computes nothing.
    let steps = partly.program.steps.iter().enumerate().filter(|(_, step)| partly.op(step) != "Reshape");
    let metric = if partly.is_class() { "accuracy" } else { "mae" };
    let layers = steps.map(layer).collect::<Result<Vec<_>>>()?;
    Ok(Sensitivity { metric, samples: indices.len(), float: score, int8: effect(&|_| true)?, layers })
}

/// A network whose layers can be in float or in int8.
struct Partly {
    float: FloatGraph,
    program: Program,
    sources: Vec<Source>,
    rows: usize,
    /// What it is measured on, and how many samples that are.
    measured: Batch,
    count: usize,
    target: Target,
}

impl Partly {
    fn new(
        network: &Network,
        params: &crate::graph::Params,
        (samples, calibration, measured): (&dyn Samples, &[usize], &[usize]),
        observer: Observer,
    ) -> Result<Self> {
        let mut float = FloatGraph::of(network, params, BATCH)?;
        float.fix_tables();
        let program = Program::new(&float)?;
        let seen = observe_by(&float, &program, &Recorded(samples, calibration), observer)?;
        super::quantize::finite(&program, &seen)?;
        let (sources, rows) = sources(&float, &program, Some(&seen))?;
        float.params.insert(Param {
            name: FACTORS.into(),
            shape: [rows.max(1), 2].into(),
            data: vec![0.0; 2 * rows.max(1)],
            trainable: true,
        })?;
        let (mut batch, count) = (Batch::default(), measured.len());
        batch.fill(samples, measured, None);
        Ok(Self { float, program, sources, rows, measured: batch, count, target: samples.target() })
    }

    fn is_class(&self) -> bool {
        matches!(self.target, Target::Class(_))
    }

    fn op(&self, step: &Step) -> &'static str {
        match step.kind {
            Kind::Conv2d(..) => "Conv2d",
            Kind::DepthwiseConv2d(..) => "DepthwiseConv2d",
            Kind::GroupedConv2d(..) => "GroupedConv2d",
            Kind::TransposedConv2d(..) => "TransposedConv2d",
            Kind::Dense(_) => "Dense",
            Kind::Other(_) => match &self.float.graph.node(step.node).op {
                // An activation stands for the operator that it is fused into.
                Op::Relu(_) | Op::Clamp(_) => "Other",
                op => op.name(),
            },
        }
    }

    /// Outputs of the samples, one after another, with the chosen steps in int8.
    fn outputs(&self, in_int8: &dyn Fn(usize) -> bool) -> Result<Vec<f32>> {
        let sources = (&self.sources[..], self.rows);
        let graph = FakeQuantized::new(&self.float, &self.program, sources, Purpose::Simulate, in_int8)?;
        let mut executor = Executor::<f32>::new(&graph.graph, &graph.outputs);
        let mut outputs = Vec::new();
        let length = (self.measured.inputs.len() / self.count).max(1);
        for inputs in self.measured.inputs.chunks(BATCH * length) {
            executor.input_mut(graph.inputs[0])[..inputs.len()].copy_from_slice(inputs);
            executor.run(&self.float.params)?;
            let found = executor.value(graph.outputs[0]);
            outputs.extend_from_slice(&found[..found.len() / BATCH * (inputs.len() / length)]);
        }
        Ok(outputs)
    }

    /// Mean absolute error, or share of classes found.
    fn score(&self, outputs: &[f32]) -> f64 {
        let (each, wanted) = ((outputs.len() / self.count).max(1), self.target.values().max(1));
        let score = |(outputs, targets): (&[f32], &[f32])| match self.target {
            Target::Class(_) => f64::from(u8::from(class_of(outputs) == targets[0] as usize)),
            Target::Numbers(_) => {
                let distance = |(a, b): (&f32, &f32)| f64::from((a - b).abs());
                outputs.iter().zip(targets).map(distance).sum::<f64>() / wanted as f64
            }
        };
        outputs.chunks(each).zip(self.measured.targets.chunks(wanted)).map(score).sum::<f64>() / self.count as f64
    }
}

fn sqnr_db(float: &[f32], other: &[f32]) -> Option<f64> {
    let square = |x: f32| f64::from(x) * f64::from(x);
    let signal: f64 = float.iter().map(|x| square(*x)).sum();
    let noise: f64 = float.iter().zip(other).map(|(a, b)| square(a - b)).sum();
    (signal > 0.0 && noise > 0.0).then(|| 10.0 * (signal / noise).log10())
}
