//! Networks from files: nothing in one may ask for more memory than a network can sensibly use.

use super::{InputKind, Layer, Mode, Network};
use crate::ops::Padding;
use crate::{Error, ErrorKind, Result};

/// Largest size of anything: rows, channels, filters, steps.
const MOST: usize = 1 << 14;
/// Most words of a vocabulary.
const MOST_WORDS: usize = 1 << 20;
/// Most dimensions of an input: pictures in time.
const MOST_DIMENSIONS: usize = 4;
/// Most numbers in the parameters and values of one sample: 1 GiB of `f32`.
const MOST_NUMBERS: usize = 1 << 28;

impl Network {
    /// Whether the network is of a size that can be built. Errors name the layer and the number that is too large.
    pub fn check_size(&self) -> Result<()> {
        let layers = self.named_layers().map(|(name, layer)| (name, sizes(layer)));
        let wrong = |place: String, message: String| Err(Error::new(ErrorKind::Shape, place, message));
        if !(1..=MOST_DIMENSIONS).contains(&self.input.len()) {
            let message = format!("has {} dimensions, not 1 to {MOST_DIMENSIONS}", self.input.len());
            return wrong("input".into(), message);
        }
        if self.kind == InputKind::Pixels && self.input.len() < 3 {
            return wrong("input".into(), format!("is of pixels, but {:?} has no height, width, channels", self.input));
        }
        if let InputKind::Tokens { vocabulary } = self.kind
            && !(1..=MOST_WORDS).contains(&vocabulary)
        {
            return wrong("input".into(), format!("has a vocabulary of {vocabulary} words, not 1 to {MOST_WORDS}"));
        }
        for (place, sizes) in std::iter::once(("input".to_string(), self.input.clone())).chain(layers) {
            if let Some(size) = sizes.iter().find(|size| **size > MOST) {
                return wrong(place, format!("has a size of {size}; {MOST} is the most"));
            }
        }
        let graph = self.build(1, Mode::Eval)?.graph;
        let numbers = graph.nodes().iter().fold(0usize, |sum, node| sum.saturating_add(node.shape.elements()));
        if numbers > MOST_NUMBERS {
            return wrong(self.name.clone(), format!("holds {numbers} numbers; {MOST_NUMBERS} is the most"));
        }
        Ok(())
    }
}

fn sizes(layer: &Layer) -> Vec<usize> {
    match layer {
        Layer::Conv2d { filters, kernel, stride, padding } => {
            let Padding { top, bottom, left, right } = *padding;
            vec![*filters, kernel[0], kernel[1], stride[0], stride[1], top, bottom, left, right]
        }
        Layer::MaxPool { kernel, stride } | Layer::AvgPool { kernel, stride } => [*kernel, *stride].concat(),
        Layer::Dense { outputs } => vec![*outputs],
        Layer::BatchNorm
        | Layer::Relu
        | Layer::Elu
        | Layer::Tanh
        | Layer::Atan { .. }
        | Layer::Flatten
        | Layer::Dropout { .. } => Vec::new(),
    }
}
