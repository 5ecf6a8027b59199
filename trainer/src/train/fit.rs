//! The training loop.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::batch::{Augmentation, Batches};
use super::checkpoint::{self, Position};
use super::events::Events;
use super::folder::{BEST, LAST, RunConfig, check_resumable, remove_old};
use super::stepper::Stepper;
use super::{EpochRow, Loss, Observer, Predictor, StepReport, TrainConfig, evaluate, history, start};
use crate::data::Samples;
use crate::graph::Params;
use crate::nn::Network;
use crate::optim::{Ema, Optimizer};
use crate::{Error, ErrorKind, Result, files};

/// Most steps of an epoch that TensorBoard gets to see.
const STEP_EVENTS: usize = 100;

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// One row per finished epoch, those before a resume included.
    pub history: Vec<EpochRow>,
    /// Epoch of the lowest validation loss (training loss where there is no validation), of the highest accuracy for classes, from 1; 0 before
    /// the first.
    pub best_epoch: usize,
    /// Whether it was stopped before its end; `resume` continues it.
    pub interrupted: bool,
}

/// Trains `network` on `train` and keeps the run in the folder `run`.
///
/// Validation is on `val` as recorded; it may be empty. When `stop` turns true the run is saved at that step and
/// returns; with `resume` a saved run continues and ends with the same bytes as one that was never stopped. Errors:
/// settings or samples that do not fit the network, a loss that is not finite (what was saved stays), a folder that
/// cannot be written, a saved run of other settings.
#[allow(clippy::too_many_arguments)]
pub fn fit(
    network: &Network,
    config: &TrainConfig,
    train: &dyn Samples,
    val: &dyn Samples,
    run: &Path,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
    resume: bool,
) -> Result<Summary> {
    config.check()?;
    check_samples(network, config.loss, train, "training data")?;
    if !val.is_empty() {
        check_samples(network, config.loss, val, "validation data")?;
    }
    let mut state = Run::open(network, config, train, run, resume)?;
    observer.start(state.position.epoch);
    while state.position.epoch < config.epochs && !state.out_of_patience() {
        if !state.epoch(train, val, observer, stop)? {
            state.save()?;
            return Ok(state.summary(true));
        }
    }
    Ok(state.summary(false))
}

/// Errors: no samples, or such as the network or the loss cannot take; `what` names them.
pub fn check_samples(network: &Network, loss: Loss, samples: &dyn Samples, what: &str) -> Result<()> {
    let message = if samples.is_empty() {
        "has no samples".to_string()
    } else if samples.input_shape() != network.input {
        format!("has inputs of shape {:?}, {} takes {:?}", samples.input_shape(), network.name, network.input)
    } else {
        match loss.check(samples.target(), network.outputs()?) {
            Ok(()) => return Ok(()),
            Err(message) => message,
        }
    };
    Err(Error::new(ErrorKind::Shape, what, message))
}

struct Run<'a> {
    config: &'a TrainConfig,
    dir: PathBuf,
    batch: usize,
    stepper: Stepper,
    params: Params,
    optimizer: Optimizer,
    average: Option<Ema>,
    predictor: Predictor,
    position: Position,
    history: Vec<EpochRow>,
    events: Events,
}

impl<'a> Run<'a> {
    fn open(network: &Network, config: &'a TrainConfig, train: &dyn Samples, dir: &Path, resume: bool) -> Result<Self> {
        let batch = config.batch.min(train.len());
        let stepper = Stepper::new(network, config, batch)?;
        // What a resumed run began with may be gone: its checkpoint has all it needs.
        let begun = config.start.as_ref().filter(|_| !resume);
        let mut params = start::parameters(network, config.seed, config.initializer, begun)?;
        let mut optimizer =
            Optimizer::new(config.method, config.weight_decay, &params, stepper.names())?.clipped(config.clip());
        let mut average = config.ema.map(|decay| Ema::new(decay, &params));
        let mut rows = Vec::new();
        let last = dir.join(LAST);
        let own = RunConfig { network: network.clone(), train: config.clone() };
        let (data, settings) = (Some(train.digest()), Some(own.digest(dir)?));
        let mut position = Position { samples: train.len(), data, config: settings, ..Position::default() };
        if resume {
            let saved;
            (params, saved) = checkpoint::load_run(&last, network, &mut optimizer, average.as_mut())?;
            check_resumable(dir, &own, &saved, &position)?;
            position = Position { data, config: settings, ..saved };
            if position.epoch > 0 {
                rows = history::read(&dir.join("history.csv"), position.epoch)?;
            }
        }
        std::fs::create_dir_all(dir).map_err(|e| Error::writing(dir, &e))?;
        files::remove_partial(dir);
        if !resume {
            remove_old(dir)?;
        }
        files::write(&dir.join("config.json"), own.text(dir)?.as_bytes())?;
        let predictor = Predictor::new(network.clone(), params.clone())?;
        let events = Events::new(dir, resume.then_some(position.total_steps + 1))?;
        let (dir, history) = (dir.to_path_buf(), rows);
        Ok(Self { config, dir, batch, stepper, params, optimizer, average, predictor, position, history, events })
    }

    /// Runs the rest of the epoch that the position is in; false when stopped.
    fn epoch(
        &mut self,
        train: &dyn Samples,
        val: &dyn Samples,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<bool> {
        let augment = Augmentation { seed: self.config.seed, epoch: self.position.epoch as u64 };
        let (started, first) = (Instant::now(), self.position.step);
        let mut batches = Batches::new(train, self.batch, augment, first);
        self.readable(train)?;
        let (steps, size) = (batches.steps(), self.batch);
        let rate = |step: usize| ((step - first) * size) as f64 / started.elapsed().as_secs_f64();
        let mut lr = self.lr(steps);
        while self.position.step < steps {
            if stop.load(Ordering::Relaxed) {
                return Ok(false);
            }
            lr = self.lr(steps);
            let (stepper, params, total) = (&mut self.stepper, &self.params, self.position.total_steps);
            let loss = batches.work(self.position.step, |batch| {
                stepper.exchange(batch);
                stepper.run(params, total)
            });
            let loss = self.finite(loss?)?;
            self.readable(train)?;
            self.stepper.update(&mut self.params, &mut self.optimizer, lr);
            if let Some(average) = &mut self.average {
                average.update(&self.params);
            }
            self.advance(loss);
            let rate = rate(self.position.step);
            let report = self.report(steps, loss, lr, rate);
            if self.position.step.is_multiple_of(steps.div_ceil(STEP_EVENTS)) {
                let scalars = [("loss/step", Some(loss)), ("lr", Some(lr)), ("samples_per_s", Some(rate))];
                self.events.scalars(self.position.total_steps, &scalars)?;
            }
            observer.step(&report);
        }
        self.finish_epoch(val, observer, lr, rate(steps)).map(|()| true)
    }

    /// Errors when a sample could not be read, after saving the run as it was before that sample's batch.
    fn readable(&mut self, samples: &dyn Samples) -> Result<()> {
        let Some(error) = samples.failure() else { return Ok(()) };
        self.save()?;
        let message = format!("{}; mend or remove it, the run so far is kept in {}", error.message, self.dir.display());
        Err(Error { message, ..error })
    }

    fn lr(&self, steps: usize) -> f64 {
        self.config.rate(self.position.total_steps, steps)
    }

    fn finite(&self, loss: f64) -> Result<f64> {
        if loss.is_finite() {
            return Ok(loss);
        }
        Err(self.not_finite(&format!("the loss became {loss}")))
    }

    fn not_finite(&self, what: &str) -> Error {
        let place = format!("epoch {}, step {}", self.position.epoch + 1, self.position.step + 1);
        let message = format!(
            "{what}; look for such values in the data, or lower the learning rate (now {:e}) or clip gradients; {} epochs \
             are kept in {}",
            self.config.lr,
            self.position.epoch,
            self.dir.display()
        );
        Error::new(ErrorKind::NotFinite, place, message)
    }

    fn advance(&mut self, loss: f64) {
        self.position.step += 1;
        self.position.total_steps += 1;
        self.position.loss_sum = (f64::from_bits(self.position.loss_sum) + loss).to_bits();
    }

    fn report(&self, steps: usize, loss: f64, lr: f64, rate: f64) -> StepReport {
        let Position { epoch, step, loss_sum, .. } = self.position;
        let mean_loss = f64::from_bits(loss_sum) / step.max(1) as f64;
        StepReport { epoch: epoch + 1, epochs: self.config.epochs, step, steps, loss, mean_loss, lr, rate }
    }

    fn finish_epoch(&mut self, val: &dyn Samples, observer: &mut dyn Observer, lr: f64, rate: f64) -> Result<()> {
        self.check_params()?;
        self.predictor.set_params(self.average.as_ref().map_or(&self.params, Ema::params))?;
        let metrics = evaluate(&mut self.predictor, val, self.config.loss);
        self.readable(val)?;
        let train_loss = f64::from_bits(self.position.loss_sum) / self.position.step.max(1) as f64;
        let row = EpochRow::new(self.position.epoch + 1, train_loss, metrics?, lr, rate);
        self.finite(row.val_loss.unwrap_or(row.train_loss))?;
        let score = row.score(val.len());
        let best = self.position.best.is_none_or(|best| score < f64::from_bits(best));
        if best {
            self.position.best = Some(score.to_bits());
            self.position.best_epoch = row.epoch;
            // The predictor holds what was validated: the average where there is one.
            checkpoint::save_params(&self.dir.join(BEST), self.predictor.params())?;
        }
        self.position.epoch += 1;
        self.position.step = 0;
        self.position.loss_sum = 0;
        self.history.push(row);
        history::write(&self.dir.join("history.csv"), &self.history)?;
        let scalars = [
            ("loss/train", Some(row.train_loss)),
            ("loss/val", row.val_loss),
            ("mae/val", row.val_mae),
            ("accuracy/val", row.val_accuracy),
        ];
        self.events.scalars(self.position.total_steps, &scalars)?;
        self.save()?;
        observer.epoch(&row, best);
        Ok(())
    }

    /// Errors: parameters that are no longer numbers.
    fn check_params(&self) -> Result<()> {
        match self.params.entries().iter().find(|p| p.data.iter().any(|v| !v.is_finite())) {
            Some(broken) => Err(self.not_finite(&format!("`{}` became infinite or NaN", broken.name))),
            None => Ok(()),
        }
    }

    /// Saves the run as it stands. Errors: parameters that are no longer numbers, the file system; what was saved stays.
    fn save(&mut self) -> Result<()> {
        self.check_params()?;
        let path = self.dir.join(LAST);
        checkpoint::save_run(&path, &self.params, &self.optimizer, self.average.as_ref(), &self.position)?;
        self.events.flush()
    }

    fn out_of_patience(&self) -> bool {
        let stale = self.position.epoch - self.position.best_epoch;
        self.position.best_epoch > 0 && self.config.patience.is_some_and(|patience| stale >= patience)
    }

    fn summary(self, interrupted: bool) -> Summary {
        Summary { history: self.history, best_epoch: self.position.best_epoch, interrupted }
    }
}
