//! Options of the update rule and its learning rate as settings of a run.

use super::args::{DescentArgs, OptimizerName, ScheduleName};
use crate::optim::{Method, Schedule};
use crate::train::TrainConfig;
use crate::{Error, Result};

/// The settings `base`, whose epochs are known, with these options.
///
/// # Errors
/// An option that the optimizer or the schedule does not have.
pub fn settings(args: &DescentArgs, base: TrainConfig) -> Result<TrainConfig> {
    let config = TrainConfig {
        schedule: schedule(args, base.epochs)?,
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

fn schedule(args: &DescentArgs, epochs: usize) -> Result<Schedule> {
    let DescentArgs { drop_every, drop_factor, .. } = *args;
    let typed = [drop_every.map(|_| "--drop-every"), drop_factor.map(|_| "--drop-factor")];
    Ok(match (args.schedule, typed.into_iter().flatten().next()) {
        (ScheduleName::Step, _) => {
            Schedule::Step { every: drop_every.unwrap_or(epochs.div_ceil(3)), factor: drop_factor.unwrap_or(0.1) }
        }
        (_, Some(option)) => return Err(Error::usage(option, "is of the step schedule; add --schedule step")),
        (ScheduleName::Constant, None) => Schedule::Constant,
        (ScheduleName::Cosine, None) => Schedule::Cosine { floor: 0.01 },
        (ScheduleName::OneCycle, None) => Schedule::one_cycle(),
    })
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
