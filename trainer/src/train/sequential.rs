//! Networks trained step by step, as PyTorch's tutorials do it.

use super::stepper::Stepper;
use super::{Loss, Predictor, TrainConfig};
use crate::graph::Params;
use crate::nn::modules::Module;
use crate::nn::{Initializer, Layer, Network};
use crate::optim::{Method, Optimizer};
use crate::{Error, ErrorKind, Result};

/// A network with its parameters.
///
/// ```
/// use ackermann_trainer::nn::modules::{linear, relu, tanh};
/// use ackermann_trainer::optim::Method;
/// use ackermann_trainer::train::{Loss, sequential};
///
/// // The sign of a product: four points.
/// let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// let y = [0.0, 1.0, 1.0, 0.0];
///
/// let mut net = sequential([linear(2, 16), relu(), linear(16, 16), tanh(), linear(16, 1)])?;
/// let mut optimizer = net.optimizer(Method::adam())?;
/// for _ in 0..300 {
///     net.backward(Loss::Mse, &x, &y)?;
///     net.step(&mut optimizer, 1e-2);
/// }
/// assert!(net.forward(&x)?.iter().zip(y).all(|(found, y)| (found - y).abs() < 0.1));
/// # ackermann_trainer::Result::Ok(())
/// ```
pub struct Sequential {
    predictor: Predictor,
    /// Of the last loss and number of samples.
    stepper: Option<(Stepper, Loss, usize)>,
    steps: u64,
}

/// Modules one after another, PyTorch's `nn.Sequential`, with PyTorch's initial values of seed 0. Errors when the first does not say
/// how many numbers it takes, or a module takes another number than it is given.
pub fn sequential(modules: impl IntoIterator<Item = Module>) -> Result<Sequential> {
    let modules: Vec<Module> = modules.into_iter().collect();
    let Some(inputs) = modules.first().and_then(|module| module.inputs) else {
        let message = "begins with a module that does not say how many numbers it takes; begin with linear(..)";
        return Err(Error::new(ErrorKind::Shape, "sequential", message));
    };
    let mut width = inputs;
    for (at, module) in modules.iter().enumerate() {
        if let Some(wanted) = module.inputs.filter(|wanted| *wanted != width) {
            let message = format!("takes {wanted} numbers, is given {width}");
            return Err(Error::new(ErrorKind::Shape, format!("sequential, module {at}"), message));
        }
        if let Layer::Dense { outputs, .. } = module.layer {
            width = outputs;
        }
    }
    let layers = modules.into_iter().map(|module| module.layer).collect();
    Sequential::new(Network::of_numbers("sequential", [inputs], layers), 0, Initializer::Pytorch)
}

impl Sequential {
    /// Any network, freshly drawn.
    pub fn new(network: Network, seed: u64, initializer: Initializer) -> Result<Self> {
        let params = network.init_as(seed, initializer)?;
        Ok(Self { predictor: Predictor::new(network, params)?, stepper: None, steps: 0 })
    }

    /// Outputs for some inputs, one after another, without dropout.
    pub fn forward(&mut self, inputs: &[f32]) -> Result<Vec<f32>> {
        self.predictor.predict_inputs(inputs)
    }

    /// Forward and backward for one batch: the loss. The gradients wait for [`Sequential::step`]. The first batch of its size plans the
    /// memory, which those that follow use again.
    pub fn backward(&mut self, loss: Loss, inputs: &[f32], targets: &[f32]) -> Result<f64> {
        let network = self.predictor.network();
        let each = network.input.iter().product::<usize>().max(1);
        let (count, rest) = (inputs.len() / each, inputs.len() % each);
        let wanted = match loss {
            Loss::CrossEntropy { .. } => count,
            _ => count * self.predictor.outputs(),
        };
        if rest != 0 || count == 0 || targets.len() != wanted {
            let message =
                format!("{} inputs of {each} numbers and {} targets, not {wanted}", inputs.len(), targets.len());
            return Err(Error::new(ErrorKind::Shape, &network.name, message));
        }
        let stepper = match &mut self.stepper {
            Some((stepper, of, size)) if (*of, *size) == (loss, count) => stepper,
            other => {
                let config = TrainConfig { loss, ..TrainConfig::default() };
                &mut other.insert((Stepper::new(network, &config, count)?, loss, count)).0
            }
        };
        stepper.fill(inputs, targets);
        self.steps += 1;
        stepper.run(self.predictor.params(), self.steps)
    }

    /// An optimizer of all parameters.
    pub fn optimizer(&self, method: Method) -> Result<Optimizer> {
        let trained = self.params().entries().iter().filter(|param| param.trainable);
        Optimizer::new(method, 0.0, self.params(), trained.map(|param| param.name.as_str()))
    }

    /// Updates the parameters by the gradients of the last [`Sequential::backward`].
    pub fn step(&mut self, optimizer: &mut Optimizer, rate: f64) {
        if let Some((stepper, ..)) = &self.stepper {
            stepper.update(self.predictor.params_mut(), optimizer, rate);
        }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.predictor.network()
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        self.predictor.params()
    }

    /// Its parameters, to be changed.
    pub fn params_mut(&mut self) -> &mut Params {
        self.predictor.params_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::modules::{linear, relu};
    use crate::nn::{InputKind, by_name, names};

    #[test]
    fn every_named_network_is_trained() {
        for name in names() {
            let network = by_name(name).unwrap();
            let (inputs, outputs): (usize, usize) = (network.input.iter().product(), network.outputs().unwrap());
            let number = |at: usize| match network.kind {
                InputKind::Tokens { vocabulary } => (at * 31 % vocabulary) as f32,
                _ => (at * 7919 % 1999) as f32 / 999.5 - 1.0,
            };
            let x: Vec<f32> = (0..2 * inputs).map(number).collect();
            let y: Vec<f32> = (0..2 * outputs).map(|at| (at * 13 % 7) as f32 / 7.0).collect();
            let mut net = Sequential::new(network, 1, Initializer::Layer).unwrap();
            let mut optimizer = net.optimizer(Method::adam()).unwrap();
            let mut losses = Vec::new();
            for _ in 0..6 {
                losses.push(net.backward(Loss::Mse, &x, &y).unwrap());
                net.step(&mut optimizer, 1e-3);
            }
            let least = losses[1..].iter().copied().fold(f64::INFINITY, f64::min);
            assert!(losses.iter().all(|loss| loss.is_finite()) && least < losses[0], "{name}: {losses:?}");
        }
    }

    #[test]
    fn modules_that_do_not_meet_are_named() {
        for (modules, words) in [
            (vec![relu(), linear(2, 1)], "linear(..)"),
            (vec![linear(2, 3), relu(), linear(4, 1)], "takes 4 numbers, is given 3"),
        ] {
            let Err(error) = sequential(modules) else { panic!("{words}") };
            assert!(error.to_string().contains(words), "{error}");
        }
        let mut net = sequential([linear(2, 1)]).unwrap();
        for (x, y) in [(&[0.0; 3][..], &[0.0; 1][..]), (&[0.0; 4], &[0.0; 1]), (&[], &[])] {
            assert_eq!(net.backward(Loss::Mse, x, y).unwrap_err().kind, ErrorKind::Shape);
        }
    }
}
