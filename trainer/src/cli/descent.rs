//! Options of the update rule and its learning rate as settings of a run.

use super::args::{DescentArgs, OptimizerName, ScheduleName};
use crate::optim::{Method, Schedule};
use crate::train::TrainConfig;
use crate::{Error, Result};

/// The settings `base`, whose epochs are known, with these options.
///
/// # Errors
/// An option that the optimizer does not have.
pub fn settings(args: &DescentArgs, base: TrainConfig) -> Result<TrainConfig> {
    let config = TrainConfig {
        schedule: schedule(args, base.epochs),
        warmup: args.warmup.unwrap_or(if matches!(args.schedule, ScheduleName::Cosine) { 0.5 } else { 0.0 }),
        method: method(args)?,
        weight_decay: args.weight_decay.unwrap_or(if matches!(args.optimizer, OptimizerName::AdamW) {
            0.01
        } else {
            0.0
        }),
        clip_norm: args.clip,
        clip_value: args.clip_value,
        ema: args.ema,
        ..base
    };
    config.check()?;
    Ok(config)
}

fn schedule(args: &DescentArgs, epochs: usize) -> Schedule {
    match args.schedule {
        ScheduleName::Constant => Schedule::Constant,
        ScheduleName::Step => {
            Schedule::Step { every: args.drop_every.unwrap_or(epochs.div_ceil(3)), factor: args.drop_factor }
        }
        ScheduleName::Cosine => Schedule::Cosine { floor: 0.01 },
        ScheduleName::OneCycle => Schedule::one_cycle(),
    }
}

fn method(args: &DescentArgs) -> Result<Method> {
    let adam = matches!(args.optimizer, OptimizerName::Adam | OptimizerName::AdamW);
    if adam && args.momentum.is_some() {
        return Err(Error::usage("--momentum", "is for sgd and rmsprop; adam keeps a mean of its own"));
    }
    if args.nesterov && !matches!(args.optimizer, OptimizerName::Sgd) {
        return Err(Error::usage("--nesterov", "is for sgd; add --optimizer sgd"));
    }
    let mut method = match args.optimizer {
        OptimizerName::Adam => Method::adam(),
        OptimizerName::AdamW => Method::adam_w(),
        OptimizerName::Sgd => Method::Sgd { momentum: 0.9, nesterov: args.nesterov },
        OptimizerName::RmsProp => Method::rms_prop(),
    };
    if let (Method::Sgd { momentum, .. } | Method::RmsProp { momentum, .. }, Some(asked)) = (&mut method, args.momentum)
    {
        *momentum = asked;
    }
    Ok(method)
}
