//! A trained network at work: frames in, numbers out.

use std::path::Path;

use super::checkpoint::load_params;
use super::{BEST, read_config};
use crate::graph::{Executor, NodeId, Params, Shape};
use crate::nn::{Mode, Network, Stream};
use crate::{Error, ErrorKind, Result};

/// Inputs that run at once when there are many.
const BATCH: usize = 32;

/// Runs a network in float. Buffers are kept between calls: one set for single inputs (driving), one for batches.
#[derive(Debug)]
pub struct Predictor {
    network: Network,
    params: Params,
    outputs: usize,
    single: Option<Lane>,
    batch: Option<Lane>,
    stream: Option<StreamLane>,
}

/// A network that goes along with a sequence.
#[derive(Debug)]
struct StreamLane {
    stream: Stream,
    executor: Executor<f32>,
}

#[derive(Debug)]
struct Lane {
    executor: Executor<f32>,
    input: NodeId,
    output: NodeId,
}

impl Lane {
    fn new(network: &Network, size: usize) -> Result<Self> {
        let built = network.build(size, Mode::Eval)?;
        let executor = Executor::new(&built.graph, &[built.output]);
        Ok(Self { executor, input: built.input, output: built.output })
    }
}

impl Predictor {
    /// A predictor of `network` with `params`. Errors when they do not belong together.
    pub fn new(network: Network, params: Params) -> Result<Self> {
        network.check(&params)?;
        let outputs = network.outputs()?;
        Ok(Self { network, params, outputs, single: None, batch: None, stream: None })
    }

    /// The best network of a run folder.
    pub fn load(run: &Path) -> Result<Self> {
        let network = read_config(run)?.network;
        let params = load_params(&run.join(BEST), &network)?;
        Self::new(network, params)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Its parameters, to be changed.
    pub(super) fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// How many numbers it puts out for one input.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Replaces the parameters. Errors when they do not belong to the network.
    pub fn set_params(&mut self, params: &Params) -> Result<()> {
        self.network.check(params)?;
        self.params.clone_from(params);
        Ok(())
    }

    /// Outputs for `frames`: RGB bytes of frames of the network's input size, one after another; per frame as many
    /// numbers as the network has outputs. Errors when the bytes are not whole frames.
    pub fn predict(&mut self, frames: &[u8]) -> Result<Vec<f32>> {
        self.run(frames, |pixel| (f32::from(pixel) - 128.0) / 128.0)
    }

    /// Outputs for the next frame of a sequence, RGB bytes; the network remembers those before it, until [`Predictor::forget`]. Errors
    /// when the bytes are not one frame, and for networks that take no sequences of frames.
    pub fn step(&mut self, frame: &[u8]) -> Result<Vec<f32>> {
        let lane = match &mut self.stream {
            Some(lane) => lane,
            none => {
                let stream = self.network.stream()?;
                let outputs: Vec<NodeId> =
                    stream.states.iter().map(|(_, after)| *after).chain([stream.output]).collect();
                none.insert(StreamLane { executor: Executor::new(&stream.graph, &outputs), stream })
            }
        };
        let input = lane.executor.input_mut(lane.stream.input);
        if input.len() != frame.len() {
            let message = format!("{} bytes are not one frame of {} values", frame.len(), input.len());
            return Err(Error::new(ErrorKind::Shape, &self.network.name, message));
        }
        input.iter_mut().zip(frame).for_each(|(x, &pixel)| *x = (f32::from(pixel) - 128.0) / 128.0);
        lane.executor.run(&self.params)?;
        for &(before, after) in &lane.stream.states {
            let value = lane.executor.value(after).to_vec();
            lane.executor.input_mut(before).copy_from_slice(&value);
        }
        Ok(lane.executor.value(lane.stream.output).to_vec())
    }

    /// Forgets the frames that [`Predictor::step`] was given.
    pub fn forget(&mut self) {
        self.stream = None;
    }

    /// The same for inputs that are already numbers, (pixel - 128) / 128.
    pub fn predict_inputs(&mut self, inputs: &[f32]) -> Result<Vec<f32>> {
        self.run(inputs, |x| x)
    }

    fn run<V: Copy>(&mut self, inputs: &[V], value: impl Fn(V) -> f32) -> Result<Vec<f32>> {
        let shape = Shape::from(self.network.input.as_slice());
        let size = shape.elements().max(1);
        if !inputs.len().is_multiple_of(size) {
            let message = format!("{} values are not whole inputs of {shape}", inputs.len());
            return Err(Error::new(ErrorKind::Shape, &self.network.name, message));
        }
        let mut found = Vec::with_capacity(inputs.len() / size * self.outputs);
        for group in inputs.chunks(size * BATCH) {
            let (lane, lanes) = if group.len() == size { (&mut self.single, 1) } else { (&mut self.batch, BATCH) };
            let lane = match lane {
                Some(lane) => lane,
                None => lane.insert(Lane::new(&self.network, lanes)?),
            };
            // A last group that is not full leaves old inputs in the rest; their outputs are not read.
            let target = lane.executor.input_mut(lane.input);
            target.iter_mut().zip(group).for_each(|(x, &v)| *x = value(v));
            lane.executor.run(&self.params)?;
            found.extend_from_slice(&lane.executor.value(lane.output)[..group.len() / size * self.outputs]);
        }
        Ok(found)
    }
}
