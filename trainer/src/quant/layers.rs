//! Where the int8 network loses precision: float against int8, layer by layer.

use ackermann_core::Session;
use ackermann_core::blob::AlignedBytes;
use ackermann_core::ops::Selected;
use serde::Serialize;

use super::observe::{Recorded, run, spread};
use super::predict::Endpoint;
use super::program::{FloatGraph, Program};
use super::{Quantization, Quantized, load};
use crate::data::Samples;
use crate::nn::Network;
use crate::{Error, ErrorKind, Result};

/// Error of one layer's output over the frames compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerError {
    /// Number of the operator in the blob.
    pub index: usize,
    /// Name of the layer.
    pub name: String,
    /// Operator.
    pub op: &'static str,
    /// Signal to quantization noise, 10 log10(sum of squares of float / of the difference); `None` without noise or signal.
    pub sqnr_db: Option<f64>,
    /// Largest |float - int8|.
    pub max_abs: f64,
    /// Mean |float - int8|.
    pub mean_abs: f64,
    /// Share of values at an end of int8 (the zero point not counted): much of it means that a range is too tight.
    pub saturated: f64,
}

#[derive(Clone, Default)]
struct Sums {
    signal: f64,
    noise: f64,
    absolute: f64,
    largest: f64,
    saturated: u64,
    count: u64,
}

/// Runs `count` of `samples` through the float network and through what was `quantized` from it, and compares every layer's output.
///
/// # Errors
/// Something quantized from another network, samples of another size, a network that remembers.
pub fn layer_errors(
    network: &Network,
    quantized: &Quantized,
    samples: &dyn Samples,
    count: usize,
) -> Result<Vec<LayerError>> {
    comparable(network)?;
    network.check(&quantized.params)?;
    let model = load(&quantized.blob)?;
    let float = FloatGraph::of(network, &quantized.params, 1)?;
    let program = Program::new(&float)?;
    let known = quantized.operators.len() == program.inputs.len() + program.steps.len();
    let fits =
        model.input(0).is_some_and(|tensor| tensor.elements() == samples.input_shape().iter().product::<usize>());
    if !known || !fits {
        let message = format!("blob, network {} and samples do not belong together", network.name);
        return Err(Error::new(ErrorKind::Shape, "", message));
    }
    let indices = spread(samples.len(), count);
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let internal = |error| Error::new(ErrorKind::Internal, "", format!("the session did not start: {error}"));
    let mut session = Session::new(model, &mut arena).map_err(internal)?;
    let from = Endpoint::of(model.input(0))?;
    let mut outputs: Vec<Vec<i8>> = vec![Vec::new(); model.operators()];
    let mut sums = vec![Sums::default(); program.steps.len()];
    let scales: Vec<Quantization> = model
        .steps()
        .map(|s| Quantization { scale: s.sides.output.scale(), zero_point: s.sides.output.zero_point() as i8 })
        .collect();
    let operators: Vec<usize> =
        quantized.operators.iter().skip(program.inputs.len()).map(|at| at.unwrap_or(0)).collect();
    run(&float, &program, &Recorded(samples, &indices), |_, value, float| match value.checked_sub(1) {
        None => {
            let input = session.input_mut(0).unwrap_or(&mut []);
            input.iter_mut().zip(from.quantize(float)).for_each(|(q, x)| *q = x);
            session.reset();
            session.run_with::<Selected>(|index, output| output.clone_into(&mut outputs[index]));
        }
        Some(step) => sums[step].add(float, &outputs[operators[step]], scales[operators[step]]),
    })?;
    let names: Vec<&str> = model.steps().map(|step| step.operator.opcode().name()).collect();
    let rows = sums.iter().zip(&program.steps).zip(operators);
    Ok(rows.map(|((sums, step), operator)| sums.row(operator, &step.name, names[operator])).collect())
}

/// Whether the layers of `network` can be compared one by one.
///
/// # Errors
/// A network that remembers.
pub fn comparable(network: &Network) -> Result<()> {
    if network.steps().is_some() {
        let message = "takes sequences, its blob single frames, so their layers cannot be compared; `ackermann eval` compares the outputs";
        return Err(Error::usage(&network.name, message));
    }
    Ok(())
}

impl Sums {
    fn add(&mut self, float: &[f32], int8: &[i8], scale: Quantization) {
        for (x, q) in float.iter().zip(int8) {
            let difference = f64::from(*x - scale.dequantize(*q)).abs();
            self.signal += f64::from(*x).powi(2);
            self.noise += difference.powi(2);
            self.absolute += difference;
            self.largest = self.largest.max(difference);
            // A value at the zero point is a rectifier at work, not a range too tight.
            self.saturated += u64::from(matches!(*q, i8::MIN | i8::MAX) && *q != scale.zero_point);
            self.count += 1;
        }
    }

    fn row(&self, index: usize, name: &str, op: &'static str) -> LayerError {
        let count = self.count.max(1) as f64;
        let measurable = self.signal > 0.0 && self.noise > 0.0;
        LayerError {
            index,
            name: name.into(),
            op,
            sqnr_db: measurable.then(|| 10.0 * (self.signal / self.noise).log10()),
            max_abs: self.largest,
            mean_abs: self.absolute / count,
            saturated: self.saturated as f64 / count,
        }
    }
}
