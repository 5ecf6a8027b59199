//! One rate for all dropout layers of a network: a setting that is searched.

use super::{Layer, Network};
use crate::{Error, Result};

impl Network {
    /// This network with `rate` in every dropout layer, nested ones too.
    ///
    /// # Errors
    /// A rate that is not in 0 to below 1, a network without dropout.
    pub fn with_dropout(mut self, rate: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&rate) {
            return Err(Error::usage("--dropout", format!("{rate} is not in 0 to below 1")));
        }
        if set(&mut self.layers, rate) == 0 {
            return Err(Error::usage(
                "--dropout",
                format!("{} has no dropout layer; choose another network", self.name),
            ));
        }
        Ok(self)
    }
}

/// Sets the rate and says in how many layers.
fn set(layers: &mut [Layer], rate: f64) -> usize {
    let of = |layer: &mut Layer| match layer {
        Layer::Dropout { rate: own } => {
            *own = rate;
            1
        }
        Layer::TimeDistributed { layers } => set(layers, rate),
        Layer::Residual { main, shortcut } => set(main, rate) + set(shortcut, rate),
        Layer::Branches { branches } => branches.iter_mut().map(|branch| set(branch, rate)).sum(),
        _ => 0,
    };
    layers.iter_mut().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_layers_have_the_rate_too() {
        let dropout = || Layer::Dropout { rate: 0.5 };
        let layers = vec![
            dropout(),
            Layer::TimeDistributed { layers: vec![Layer::Relu, dropout()] },
            Layer::Residual { main: vec![dropout()], shortcut: vec![dropout()] },
            Layer::Branches { branches: vec![vec![dropout()], vec![]] },
        ];
        let network = Network::of_pixels("n", [4, 4, 3], layers).with_dropout(0.25).unwrap();
        let text = serde_json::to_string(&network).unwrap();
        assert_eq!((text.matches("0.25").count(), text.matches("0.5").count()), (5, 0), "{text}");
        assert!(network.clone().with_dropout(1.0).is_err() && network.with_dropout(f64::NAN).is_err());
        let plain = Network::of_pixels("plain", [4, 4, 3], vec![Layer::Relu]);
        assert!(plain.with_dropout(0.1).unwrap_err().message.contains("plain"));
    }
}
