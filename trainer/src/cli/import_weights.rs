//! `ackermann import-weights`: a run folder from a network and weights of PyTorch.

use super::Output;
use super::args::ImportWeightsArgs;
use crate::train::{RunConfig, Start, TrainConfig, Weights, save_network};
use crate::{Error, Result, exchange, files, nn};
use serde_json::json;

/// Makes a run folder that can be quantized, evaluated, exported or trained further.
pub fn import_weights(args: &ImportWeightsArgs, output: Output) -> Result<()> {
    files::check_folder(&args.out)?;
    if args.out.join("config.json").exists() {
        return Err(Error::usage(args.out.display(), "holds a run already; name another folder"));
    }
    let network = nn::by_name(&args.net)?;
    let params = exchange::load(&args.weights, &network)?;
    let start = Some(Start { weights: Weights::Pytorch(args.weights.clone()), fresh_head: false });
    let config = RunConfig { network, train: TrainConfig { start, ..TrainConfig::default() } };
    save_network(&args.out, &config, &params)?;
    let count: usize = params.entries().iter().map(|param| param.data.len()).sum();
    let text = format!("wrote {}: {} with {count} numbers", args.out.display(), config.network.name);
    output.finish(text, &json!({ "out": args.out, "network": config.network.name, "numbers": count }))
}
