//! Networks that have a name.

mod driving;
mod generative;
mod pictures;
mod sequences;
mod vectors;

use std::path::Path;

use super::{Layer, Network};
use crate::{Error, ErrorKind, Result};

/// Name, network.
type Named = (&'static str, fn() -> Network);

/// The named networks, in the order they are listed.
const ZOO: [Named; 16] = [
    ("pilotnet", driving::pilotnet),
    ("micro", driving::micro),
    ("micro-lstm", driving::micro_lstm),
    ("mlp", vectors::mlp),
    ("digits", pictures::digits),
    ("lenet", pictures::lenet),
    ("resnet8", pictures::resnet8),
    ("vgg-small", pictures::vgg_small),
    ("inception-small", pictures::inception_small),
    ("ds-cnn", sequences::ds_cnn),
    ("lstm", sequences::lstm),
    ("text", sequences::text),
    ("text-lstm", sequences::text_lstm),
    ("seq2seq", sequences::seq2seq),
    ("generator", generative::generator),
    ("discriminator", generative::discriminator),
];

/// The named networks.
pub fn names() -> Vec<&'static str> {
    ZOO.iter().map(|(name, _)| *name).collect()
}

/// The network of this name, or the one that a `.json` file describes as `config.json` of a run does. Errors list the names there are.
pub fn by_name(name: &str) -> Result<Network> {
    if let Some((_, network)) = ZOO.iter().find(|(known, _)| *known == name) {
        return Ok(network());
    }
    if name.ends_with(".json") {
        return from_file(Path::new(name));
    }
    let message = format!("there is no network `{name}`; there are {}, or name a .json file", names().join(", "));
    Err(Error::usage("--net", message))
}

/// The network that a file describes: `{"name": .., "input": [..], "layers": [..]}`.
fn from_file(path: &Path) -> Result<Network> {
    let bytes = std::fs::read(path).map_err(|e| Error::reading(path, &e))?;
    let wrong = |e: &dyn std::fmt::Display| {
        Error::new(ErrorKind::BadFile, path.display(), format!("does not describe a network: {e}"))
    };
    let network: Network = serde_json::from_slice(&bytes).map_err(|e| wrong(&e))?;
    network.check_size().map_err(|e| wrong(&e))?;
    Ok(network)
}

/// A convolution without bias, batch norm and ReLU, as residual networks and their kin stack them.
fn normalized(convolution: Layer) -> [Layer; 3] {
    [convolution.without_bias(), Layer::BatchNorm, Layer::Relu]
}
