//! A training as options or a run folder describe it, with its data read: what `train` does once and `search` many times.

use super::args::{LossName, TrainArgs};
use super::recording::{Recording, SIM_FRAMES};
use super::{Output, descent, stop};
use crate::data::{Changes, Classes, Dataset, DatasetSamples, Encoding, Extras, Target};
use crate::nn::{self, Freeze, InputKind, Layer, Network};
use crate::quant::qat::trainable;
use crate::sim::Disturbances;
use crate::train::{BEST, LAST, Loss, Observer, Start, Summary, TrainConfig, Weights, check_start, fit, read_config};
use crate::{Error, ErrorKind, Result, files};
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

/// Data of so many trainings is kept in memory.
const KEPT: usize = 4;

/// A training, ready to go.
pub struct Job {
    /// What is trained.
    pub network: Network,
    /// How.
    pub config: TrainConfig,
    /// On what.
    pub data: Rc<Splits>,
    /// Where that comes from.
    pub recording: Recording,
    resume: bool,
}

/// What a network is trained and validated on.
pub struct Splits {
    /// Trained on.
    pub train: Dataset,
    /// Validated on after every epoch.
    pub val: Dataset,
}

/// What makes data: where it is from, the shape of an input, and what training has fixed.
type Origin = (Recording, Vec<usize>, Option<Encoding>);

/// Data that was read already, for trainings that share it.
#[derive(Default)]
pub struct Shelf(Vec<(Origin, Rc<Splits>)>);

impl Job {
    /// The training of `args`, a new one or one that goes on.
    pub fn new(args: &TrainArgs, shelf: &mut Shelf, output: Output) -> Result<Self> {
        let (network, mut config, recording) = if args.resume { resumed(args)? } else { fresh(args)? };
        let known = match &args.from {
            _ if args.resume => Some(Encoding::of_network(&args.out, &network)?),
            // Words keep their numbers; another head may tell other classes apart.
            Some(run) if args.head.is_some() => {
                Some(Encoding { classes: Classes::default(), ..Encoding::of_network(run, &network)? })
            }
            Some(run) => Some(Encoding::of_network(run, &network)?),
            None => None,
        };
        let data = shelf.splits(&recording, &network.input, known, output)?;
        let network = match args.resume {
            true => network,
            false => {
                let Dataset { target, .. } = data.train;
                config.loss = loss(args, target);
                check_smoothing(args, config.loss)?;
                config.check()?;
                adapted(args, &network, &data.train, outputs(config.loss, target))?
            }
        };
        if !args.resume {
            // Before anything is written.
            let unfit = |message| Error::new(ErrorKind::Shape, "training data", message);
            config.loss.check(data.train.target, network.outputs()?).map_err(unfit)?;
            check_words(&network)?;
            if config.qat.is_some() {
                trainable(&network)?;
            }
            check_start(&network, &config)?;
        }
        check_numbers(&data.train, config.loss, &recording, &recording.split)?;
        check_numbers(&data.val, config.loss, &recording, &recording.val_split)?;
        Ok(Self { network, config, data, recording, resume: args.resume })
    }

    /// Trains in the folder `run` until the end or until `stopping`; a second Ctrl-C waits for what is being saved.
    pub fn fit(&self, run: &Path, observer: &mut dyn Observer, stopping: &AtomicBool) -> Result<Summary> {
        let (train, val) = self.samples()?;
        if !self.resume {
            self.recording.save(run)?;
            self.data.train.encoding.save(run)?;
        }
        let _saving = stop::saving();
        fit(&self.network, &self.config, &train, &val, run, observer, stopping, self.resume)
            .map_err(|error| with_way_on(error, run))
    }

    /// What is trained on, with its changes, and validated on, as recorded.
    pub fn samples(&self) -> Result<(DatasetSamples<'_>, DatasetSamples<'_>)> {
        let (Splits { train, val }, recording) = (&*self.data, &self.recording);
        let input = &self.network.input;
        Ok((recording.samples(train, input, recording.changes())?, recording.samples(val, input, Changes::NONE)?))
    }
}

impl Shelf {
    fn splits(
        &mut self,
        recording: &Recording,
        input: &[usize],
        known: Option<Encoding>,
        output: Output,
    ) -> Result<Rc<Splits>> {
        let origin = (recording.clone(), input.to_vec(), known);
        if let Some((_, splits)) = self.0.iter().find(|(known, _)| *known == origin) {
            return Ok(Rc::clone(splits));
        }
        let train = recording.dataset(&recording.split, input, origin.2.as_ref(), output)?;
        let whole = recording.clone().whole();
        let val = whole.dataset(&recording.val_split, input, Some(&train.encoding), output)?;
        let splits = Rc::new(Splits { train, val });
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push((origin, Rc::clone(&splits)));
        Ok(splits)
    }
}

/// A failure of the disk with what it leaves and how to go on.
pub fn with_way_on(error: Error, run: &Path) -> Error {
    if error.kind != ErrorKind::Write || !run.join(LAST).exists() {
        return error;
    }
    let message = format!("{}; what was saved before is whole, `{}` goes on from it", error.message, way_on(run));
    Error { message, ..error }
}

/// The command that goes on with the run in `run`.
pub fn way_on(run: &Path) -> String {
    format!("ackermann train --resume --out {}", run.display())
}

/// Whether the folder `run` holds what the options `args` train: the same network from the same data with the same settings.
///
/// # Errors
/// Options that do not go together.
pub fn is_of(run: &Path, args: &TrainArgs) -> Result<bool> {
    let (network, config, recording) = described(args)?;
    let (Ok(saved), Ok(Some(data))) = (read_config(run), Recording::of_run(run)) else { return Ok(false) };
    // Loss, input and outputs are those of the data, which is not read here.
    let config = TrainConfig { loss: saved.train.loss, ..config };
    let own = &saved.network;
    let network = own.outputs().and_then(|outputs| network.adapted(&own.input, own.kind, outputs));
    Ok(data == recording && saved.train == config && network.is_ok_and(|network| network == *own))
}

/// The loss that was asked for, or the one that suits the targets.
fn loss(args: &TrainArgs, target: Target) -> Loss {
    let huber = Loss::Huber { delta: args.huber_delta };
    let cross_entropy = Loss::CrossEntropy { smoothing: args.smoothing };
    match (args.loss, target) {
        (Some(LossName::Mse), _) => Loss::Mse,
        (Some(LossName::Mae), _) => Loss::Mae,
        (Some(LossName::Huber), _) | (None, Target::Numbers(_)) => huber,
        (Some(LossName::CrossEntropy), _) | (None, Target::Class(_)) => cross_entropy,
        (Some(LossName::BinaryCrossEntropy), _) => Loss::BinaryCrossEntropy,
    }
}

/// Refuses smoothing for a loss that has none.
fn check_smoothing(args: &TrainArgs, loss: Loss) -> Result<()> {
    if args.smoothing != 0.0 && !matches!(loss, Loss::CrossEntropy { .. }) {
        let message = format!("is of the loss cross-entropy, this one is {}; leave it out", loss.name());
        return Err(Error::usage("--smoothing", message));
    }
    Ok(())
}

/// Refuses numbers that the loss is not made for.
fn check_numbers(data: &Dataset, loss: Loss, recording: &Recording, split: &str) -> Result<()> {
    let Target::Numbers(count) = data.target else { return Ok(()) };
    loss.check_numbers(&data.targets).map_err(|(at, message)| {
        let place = format!("{}, split `{split}`", recording.data.display());
        let message = format!("target {} of sample {} {message}", at % count.max(1), at / count.max(1));
        Error::new(ErrorKind::BadFile, place, message)
    })
}

/// Refuses an embedding of numbers: only words are sure to be in its table.
fn check_words(network: &Network) -> Result<()> {
    let embeds = network.layers.iter().any(|layer| matches!(layer, Layer::Embedding { .. }));
    if embeds && !matches!(network.kind, InputKind::Tokens { .. }) {
        let message = "has an embedding, which takes words, and the data holds none; train it on texts or leave the embedding out";
        return Err(Error::new(ErrorKind::Shape, &network.name, message));
    }
    Ok(())
}

/// The network for this data. Trained weights keep their head unless another one was asked for.
fn adapted(args: &TrainArgs, network: &Network, data: &Dataset, outputs: usize) -> Result<Network> {
    let has = network.outputs()?;
    if (args.from.is_some() || args.weights.is_some()) && has != outputs {
        let message = format!("{} has {has} outputs, the data needs {outputs}; add --head {outputs}", network.name);
        return Err(Error::usage("--data", message));
    }
    network.adapted(&data.input_shape(), data.kind(), outputs)
}

/// Outputs that a network needs: one score tells two classes apart.
fn outputs(loss: Loss, target: Target) -> usize {
    match (loss, target) {
        (Loss::BinaryCrossEntropy, Target::Class(2)) => 1,
        _ => target.outputs(),
    }
}

/// A new run.
fn fresh(args: &TrainArgs) -> Result<(Network, TrainConfig, Recording)> {
    let described = described(args)?;
    files::check_folder(&args.out)?;
    let there = |file: &str| args.out.join(file).exists();
    match (there(LAST), there(BEST)) {
        _ if args.overwrite => Ok(described),
        (true, _) => {
            let message = "holds a run already: --resume goes on with it, --overwrite starts anew";
            Err(Error::usage(args.out.display(), message))
        }
        (false, true) => {
            let message = "holds trained weights already: choose another --out, or --overwrite them";
            Err(Error::usage(args.out.display(), message))
        }
        (false, false) => Ok(described),
    }
}

/// A run described by the command line.
fn described(args: &TrainArgs) -> Result<(Network, TrainConfig, Recording)> {
    let (network, config) = (network(args)?, config(args)?);
    let recording = Recording {
        sim_frames: args.frames.unwrap_or(SIM_FRAMES),
        disturbances: Disturbances { glare: args.glare, blackout: args.blackout },
        split: args.split.clone(),
        val_split: args.val_split.clone(),
        label: args.label.clone(),
        label_scale: args.label_scale,
        window: args.crop,
        side_correction: args.side_correction,
        drop_straight: args.drop_straight,
        augment: !args.no_augment,
        mirror: args.mirror,
        stream: args.stream,
        length: args.length,
        extras: Extras { stems: args.stems, pairs: args.pairs },
        seed: args.seed,
        ..Recording::of(args.data.as_deref().unwrap_or(Path::new("")))
    };
    if args.frames.is_some() && !recording.is_simulated() {
        return Err(Error::usage("--frames", "is of the simulator: use it with --data sim"));
    }
    recording.check()?;
    Ok((network, config, recording))
}

/// The network: a named one, or that of a run, perhaps with another head.
fn network(args: &TrainArgs) -> Result<Network> {
    let network = match &args.from {
        Some(run) => read_config(run)?.network,
        None => nn::by_name(&args.net)?,
    };
    let network = match args.dropout {
        Some(rate) => network.with_dropout(rate)?,
        None => network,
    };
    match args.head {
        Some(outputs) if args.from.is_none() && args.weights.is_none() => Err(Error::usage(
            "--head",
            format!("replaces {outputs} outputs of trained weights; name them with --from or --weights"),
        )),
        Some(outputs) => network.with_outputs(outputs),
        None => Ok(network),
    }
}

/// Trained weights to begin with.
fn start(args: &TrainArgs) -> Option<Start> {
    let run = args.from.clone().map(Weights::Run);
    let weights = run.or_else(|| args.weights.clone().map(Weights::Pytorch))?;
    Some(Start { weights, fresh_head: args.head.is_some() })
}

/// A run described by its folder; only the epochs in int8 that follow may be others now.
fn resumed(args: &TrainArgs) -> Result<(Network, TrainConfig, Recording)> {
    let saved = read_config(&args.out)?;
    let recording = Recording::of_run(&args.out)?.ok_or_else(|| {
        Error::new(ErrorKind::MissingFile, args.out.display(), "does not say what it was trained on; train it anew")
    })?;
    let config = TrainConfig { qat: args.qat.or(saved.train.qat), ..saved.train };
    Ok((saved.network, config, recording))
}

fn config(args: &TrainArgs) -> Result<TrainConfig> {
    let base = TrainConfig {
        epochs: args.epochs,
        batch: args.batch,
        lr: args.lr,
        // That of numbers until the data has shown its targets.
        loss: loss(args, Target::Numbers(1)),
        seed: args.seed,
        initializer: args.init,
        start: start(args),
        freeze: Freeze::new(&args.freeze),
        patience: args.patience,
        qat: args.qat,
        ..TrainConfig::default()
    };
    descent::settings(&args.descent, base)
}
