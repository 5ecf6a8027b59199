//! Networks that have a name.

use std::path::Path;

use super::{Layer, Network};
use crate::{Error, ErrorKind, Result};

/// The named networks.
pub fn names() -> &'static [&'static str] {
    &["pilotnet", "micro"]
}

/// The network of this name, or the one that a `.json` file describes as `config.json` of a run does. Errors list the names there are.
pub fn by_name(name: &str) -> Result<Network> {
    match name {
        "pilotnet" => Ok(pilotnet()),
        "micro" => Ok(micro()),
        _ if name.ends_with(".json") => from_file(Path::new(name)),
        _ => {
            let message =
                format!("there is no network `{name}`; there are {}, or name a .json file", names().join(", "));
            Err(Error::usage("--net", message))
        }
    }
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

/// NVIDIA's DAVE-2 (Bojarski et al. 2016): 252,219 parameters, 27 million multiply-accumulates.
fn pilotnet() -> Network {
    let layers = vec![
        Layer::conv2d(24, 5, 2),
        Layer::Relu,
        Layer::conv2d(36, 5, 2),
        Layer::Relu,
        Layer::conv2d(48, 5, 2),
        Layer::Relu,
        Layer::conv2d(64, 3, 1),
        Layer::Relu,
        Layer::conv2d(64, 3, 1),
        Layer::Relu,
        Layer::Flatten,
        Layer::dense(100),
        Layer::Relu,
        Layer::dense(50),
        Layer::Relu,
        Layer::dense(10),
        Layer::Relu,
        Layer::dense(1),
    ];
    Network::of_pixels("pilotnet", [66, 200, 3], layers)
}

/// A third of the parameters and a ninth of the work, for a Cortex-M4.
fn micro() -> Network {
    let layers = vec![
        Layer::conv2d(16, 5, 2),
        Layer::Relu,
        Layer::conv2d(24, 5, 2),
        Layer::Relu,
        Layer::conv2d(32, 3, 1),
        Layer::Relu,
        Layer::conv2d(48, 3, 2).padded(1),
        Layer::Relu,
        Layer::Flatten,
        Layer::dense(64),
        Layer::Relu,
        Layer::dense(16),
        Layer::Relu,
        Layer::dense(1),
    ];
    Network::of_pixels("micro", [32, 96, 3], layers)
}
