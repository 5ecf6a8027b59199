//! Networks that have a name.

use super::{Layer, Network};
use crate::{Error, Result};

/// The named networks.
pub fn names() -> &'static [&'static str] {
    &["pilotnet", "micro"]
}

/// The network of this name. Errors list the names there are.
pub fn by_name(name: &str) -> Result<Network> {
    match name {
        "pilotnet" => Ok(pilotnet()),
        "micro" => Ok(micro()),
        _ => Err(Error::usage("--net", format!("there is no network `{name}`; there are {}", names().join(", ")))),
    }
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
    Network { name: "pilotnet".into(), input: [66, 200, 3], layers }
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
    Network { name: "micro".into(), input: [32, 96, 3], layers }
}
