//! The layer that a network answers with.

use super::layer::named;
use super::{Layer, Network};
use crate::{Error, Result};

impl Network {
    /// Name of the last dense layer. Errors when only some other layer with parameters could be meant.
    pub fn head(&self) -> Result<String> {
        let (name, _) = self.head_at()?;
        Ok(name)
    }

    /// This network with another number of outputs: those of its last dense layer.
    ///
    /// # Errors
    /// A network whose last layer with parameters is not dense.
    pub fn with_outputs(&self, count: usize) -> Result<Self> {
        let (_, at) = self.head_at()?;
        let mut network = self.clone();
        if let Layer::Dense { outputs, .. } = &mut network.layers[at] {
            *outputs = count;
        }
        Ok(network)
    }

    fn head_at(&self) -> Result<(String, usize)> {
        let named: Vec<_> = named("", &self.layers).collect();
        let last = named.iter().rposition(|(_, layer)| layer.is_weighted());
        match last.map(|at| (&named[at], at)) {
            Some(((name, Layer::Dense { .. }), at)) => Ok((name.clone(), at)),
            Some(((name, _), _)) => {
                let message =
                    format!("{} ends with `{name}`, not with a dense layer, which could be replaced", self.name);
                Err(Error::usage("--head", message))
            }
            None => Err(Error::usage("--head", format!("{} has no layer with parameters", self.name))),
        }
    }
}

impl Layer {
    /// Whether it has parameters, or layers in it that may.
    fn is_weighted(&self) -> bool {
        match self {
            Self::Conv2d { .. }
            | Self::DepthwiseConv2d { .. }
            | Self::ConvTranspose2d { .. }
            | Self::Dense { .. }
            | Self::BatchNorm
            | Self::LayerNorm
            | Self::Embedding { .. }
            | Self::Lstm { .. }
            | Self::Gru { .. }
            | Self::Rnn { .. }
            | Self::Attention { .. } => true,
            nested => !nested.inner().is_empty(),
        }
    }
}
