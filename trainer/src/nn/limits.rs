//! Networks from files: nothing in one may ask for more memory than a network can sensibly use.

use super::layer::{self, named};
use super::{InputKind, Layer, Mode, Network};
use crate::ops::Padding;
use crate::{Error, ErrorKind, Result};

/// Largest size of anything: rows, channels, filters, steps.
const MOST: usize = 1 << 14;
/// Most words of a vocabulary.
const MOST_WORDS: usize = 1 << 20;
/// Most dimensions of an input: pictures in time.
const MOST_DIMENSIONS: usize = 4;
/// Most layers, those within layers counted.
const MOST_LAYERS: usize = 4096;
/// How deep layers are nested in one another.
const MOST_DEPTH: usize = 8;
/// Most numbers in the parameters and values of one sample: 1 GiB of `f32`.
const MOST_NUMBERS: usize = 1 << 28;

impl Network {
    /// Whether the network is of a size that can be built. Errors name the layer and the number that is too large or too small.
    pub fn check_size(&self) -> Result<()> {
        let mut layers = Vec::new();
        every("", &self.layers, 0, &mut layers);
        let wrong = |place: String, message: String| Err(Error::new(ErrorKind::Shape, place, message));
        // It names the blob beside the run.
        let unfit = |c: char| c.is_control() || matches!(c, '/' | '\\');
        if self.name.is_empty() || self.name.starts_with('.') || self.name.contains(unfit) {
            return wrong("name".into(), format!("{:?} cannot name a file; letters, digits, - and _ can", self.name));
        }
        if !(1..=MOST_DIMENSIONS).contains(&self.input.len()) {
            let message = format!("has {} dimensions, not 1 to {MOST_DIMENSIONS}", self.input.len());
            return wrong("input".into(), message);
        }
        if self.kind == InputKind::Pixels && self.input.len() < 3 {
            return wrong("input".into(), format!("is of pixels, but {:?} has no height, width, channels", self.input));
        }
        if layers.is_empty() {
            return wrong(self.name.clone(), "has 0 layers; 1 is the least".into());
        }
        if layers.len() > MOST_LAYERS {
            return wrong(self.name.clone(), format!("has {} layers; {MOST_LAYERS} is the most", layers.len()));
        }
        if let Some((name, ..)) =
            layers.iter().find(|(_, layer, depth)| *depth == MOST_DEPTH && !layer.inner().is_empty())
        {
            return wrong(name.clone(), format!("is nested more than {MOST_DEPTH} deep"));
        }
        let vocabularies = layers.iter().filter_map(|(name, layer, _)| match layer {
            Layer::Embedding { vocabulary, .. } => Some((name.clone(), *vocabulary)),
            _ => None,
        });
        let own = match self.kind {
            InputKind::Tokens { vocabulary } => Some(("input".to_string(), vocabulary)),
            _ => None,
        };
        if let Some((place, words)) = own.into_iter().chain(vocabularies).find(|v| !(1..=MOST_WORDS).contains(&v.1)) {
            return wrong(place, format!("has a vocabulary of {words} words, not 1 to {MOST_WORDS}"));
        }
        check_rates(&layers)?;
        let input = ("input".to_string(), self.input.clone(), Vec::new());
        let layers = layers.into_iter().map(|(name, layer, _)| (name, sizes(layer), margins(layer)));
        for (place, sizes, margins) in std::iter::once(input).chain(layers) {
            if sizes.contains(&0) {
                return wrong(place, "has a size of 0; 1 is the least".into());
            }
            if let Some(size) = sizes.iter().chain(&margins).find(|size| **size > MOST) {
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

/// Dropout that leaves nothing, or adds.
fn check_rates(layers: &[(String, &Layer, usize)]) -> Result<()> {
    let mut rates = layers.iter().filter_map(|(name, layer, _)| match layer {
        Layer::Dropout { rate } => Some((name, *rate)),
        _ => None,
    });
    match rates.find(|(_, rate)| !(0.0..1.0).contains(rate)) {
        Some((name, rate)) => {
            Err(Error::new(ErrorKind::Shape, name, format!("has a rate of {rate}, not 0 to below 1")))
        }
        None => Ok(()),
    }
}

/// Every size that a layer states and that is at least 1, vocabularies left out.
fn sizes(layer: &Layer) -> Vec<usize> {
    match layer {
        Layer::Conv2d { filters, kernel, stride, dilation, groups, .. } => {
            [&[*filters, *groups][..], kernel, stride, dilation].concat()
        }
        Layer::DepthwiseConv2d { multiplier, kernel, stride, dilation, .. } => {
            [&[*multiplier][..], kernel, stride, dilation].concat()
        }
        Layer::ConvTranspose2d { filters, kernel, stride, .. } => [&[*filters][..], kernel, stride].concat(),
        Layer::MaxPool { kernel, stride, .. } | Layer::AvgPool { kernel, stride } => [*kernel, *stride].concat(),
        Layer::Dense { outputs, .. } => vec![*outputs],
        Layer::Reshape { shape } => shape.clone(),
        Layer::Embedding { size, .. } => vec![*size],
        Layer::Lstm { units, .. } | Layer::Gru { units, .. } | Layer::Rnn { units, .. } => vec![*units],
        Layer::Attention { heads } => vec![*heads],
        Layer::Repeat { times } => vec![*times],
        _ => Vec::new(),
    }
}

/// Rows and columns around pictures, of which there may be none.
fn margins(layer: &Layer) -> Vec<usize> {
    let sides = |Padding { top, bottom, left, right }: Padding| [top, bottom, left, right];
    match layer {
        Layer::Conv2d { padding, .. } | Layer::DepthwiseConv2d { padding, .. } | Layer::MaxPool { padding, .. } => {
            sides(*padding).to_vec()
        }
        Layer::ConvTranspose2d { padding, more, .. } => [&sides(*padding)[..], more].concat(),
        _ => Vec::new(),
    }
}

/// The layers within layers too, with the depth of each.
fn every<'l>(path: &str, layers: &'l [Layer], depth: usize, found: &mut Vec<(String, &'l Layer, usize)>) {
    for (name, layer) in named(path, layers) {
        for (part, inner) in layer.inner() {
            if depth < MOST_DEPTH {
                every(&layer::path(&name, &part), inner, depth + 1, found);
            }
        }
        found.push((name, layer, depth));
    }
}
