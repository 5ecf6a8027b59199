//! `ackermann quantize`: a trained network becomes an int8 blob.

use super::args::QuantizeArgs;
use super::blob::arena;
use super::job::way_on;
use super::recording::Recording;
use super::train::add_curves;
use super::{Output, progress, stop};
use crate::data::{Changes, Dataset, Encoding, Samples, Window};
use crate::quant::qat::FineTuneOptions;
use crate::quant::{
    Effect, LayerError, Observer, QuantizeOptions, Quantized, Sensitivity, Trial, comparable, layer_errors, quantize,
    quantize_aware, sensitivity,
};
use crate::report::{Report, Table, format};
use crate::train::{EpochRow, Predictor, TrainConfig, read_config};
use crate::{Error, ErrorKind, Result, files};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::Ordering;

/// Samples that layers are compared on.
const COMPARED: usize = 32;
/// Samples that the cost of each layer is measured on.
const MEASURED: usize = 128;

/// A run in int8.
pub struct Made {
    /// The blob.
    pub quantized: Quantized,
    /// Epochs of quantization-aware training.
    history: Vec<EpochRow>,
    predictor: Predictor,
    /// What the ranges are from.
    data: Dataset,
}

/// Quantizes a run and writes the blob.
pub fn make(args: &QuantizeArgs, output: Output) -> Result<Made> {
    let options = options(args)?;
    files::check_file(&args.out)?;
    if let Some(report) = &args.report {
        files::check_file(report)?;
    }
    let predictor = Predictor::load(&args.run)?;
    let (network, params) = (predictor.network(), predictor.params());
    let recording = Recording { sim_frames: args.frames, ..Recording::of(&args.calibrate) };
    let recording = recording.like(Recording::of_run(&args.run)?.as_ref());
    let encoding = Encoding::of_network(&args.run, network)?;
    let data = recording.dataset(&args.split, &network.input, Some(&encoding), output)?;
    let options = QuantizeOptions { window: recording.window, ..options };
    let (quantized, history) = if args.qat {
        let val = recording.clone().whole().dataset(&args.val_split, &network.input, Some(&encoding), output)?;
        let train = recording.samples(&data, &network.input, recording.changes())?;
        let val = recording.samples(&val, &network.input, Changes::NONE)?;
        let tune = FineTuneOptions { epochs: args.epochs, ..tuning(&args.run, args.lr)? };
        tuned(&predictor, (&train, &val), &options, &tune, (&args.out, "the same command"), output)?
    } else {
        let samples = recording.samples(&data, &network.input, Changes::NONE)?;
        let quantized = quantize(network, params, &samples, &options)?;
        files::write(&args.out, &quantized.blob)?;
        (quantized, Vec::new())
    };
    Ok(Made { quantized, history, predictor, data })
}

/// Quantizes a run, writes the blob and says what it came to.
pub fn run(args: &QuantizeArgs, output: Output) -> Result<()> {
    if args.layers {
        comparable(&read_config(&args.run)?.network)?;
    }
    let Made { quantized, history, predictor, data } = make(args, output)?;
    let network = predictor.network();
    let samples = data.samples(&network.input, Changes::NONE)?;
    let layers = match args.layers {
        true => Some(layer_errors(network, &quantized, &samples, COMPARED)?),
        false => None,
    };
    let costs = match args.sensitivity || args.report.is_some() {
        true => {
            let observer = quantized.trials.first().map_or(Observer::MinMax, |trial| trial.observer);
            Some(sensitivity(network, &quantized.params, &samples, observer, (args.frames, MEASURED))?)
        }
        false => None,
    };
    if let Some(error) = samples.failure() {
        return Err(error);
    }
    let tables: Vec<Table> = layers
        .iter()
        .map(|l| error_table(l))
        .chain(costs.iter().map(cost_table))
        .chain((!history.is_empty()).then(|| history_table(&history)))
        .collect();
    if let Some(path) = &args.report {
        report(args, &quantized, costs.as_ref(), layers.as_deref(), &history).write(path)?;
    }
    let text: String = tables.iter().map(|table| format!("{}\n", table.to_terminal())).collect();
    output.finish(format!("{text}{}", sentence(&args.out, &quantized)), &json!({
        "out": args.out, "blob_bytes": quantized.blob.len(), "arena_bytes": quantized.arena_bytes,
        "arena_lower_bound": quantized.arena_lower_bound, "macs": quantized.macs, "calibrated": quantized.calibrated,
        "trials": quantized.trials, "layers": layers, "sensitivity": costs, "epochs": history, "report": args.report,
    }))
}

/// Trains the run on in int8, and writes the blob beside it.
///
/// # Errors
/// [`ErrorKind::Interrupted`] after Ctrl-C: the blob is then the best so far.
pub fn train_on(
    run: &Path,
    samples: (&dyn Samples, &dyn Samples),
    epochs: usize,
    window: Option<Window>,
    output: Output,
) -> Result<()> {
    let predictor = Predictor::load(run)?;
    let options = QuantizeOptions { window, ..QuantizeOptions::default() };
    let tune = FineTuneOptions { epochs, ..tuning(run, FineTuneOptions::default().lr)? };
    let out = run.join(format!("{}.ackm", predictor.network().name));
    let (quantized, history) =
        tuned(&predictor, samples, &options, &tune, (&out, &format!("`{}`", way_on(run))), output)?;
    output.say(history_table(&history).to_terminal());
    output.say(sentence(&out, &quantized));
    Ok(())
}

/// Trains on in int8 with a progress bar and writes the blob to `out`.
///
/// # Errors
/// [`ErrorKind::Interrupted`] after Ctrl-C: the blob is then the best so far, `again` is what trains anew.
pub fn tuned(
    predictor: &Predictor,
    samples: (&dyn Samples, &dyn Samples),
    options: &QuantizeOptions,
    tune: &FineTuneOptions,
    (out, again): (&Path, &str),
    output: Output,
) -> Result<(Quantized, Vec<EpochRow>)> {
    let (mut bar, _saving) = (progress::Training::new(output), stop::saving());
    let (network, params) = (predictor.network(), predictor.params());
    let (quantized, tuned) = quantize_aware(network, params, samples, options, tune, &mut bar, stop::flag())?;
    bar.finish();
    files::write(out, &quantized.blob)?;
    if stop::flag().load(Ordering::Relaxed) {
        let message = format!("training in int8 was stopped; this is the best so far, {again} trains in int8 anew");
        return Err(Error::new(ErrorKind::Interrupted, out.display(), message));
    }
    Ok((quantized, tuned.history))
}

fn options(args: &QuantizeArgs) -> Result<QuantizeOptions> {
    Ok(QuantizeOptions {
        samples: args.frames,
        observer: args.observer.observer(args.percentile)?,
        bias_correction: args.bias_correction.wanted(),
        equalize: args.equalize.wanted(),
        ..QuantizeOptions::default()
    })
}

/// Loss, batch, seed and what is frozen are those of the run.
pub fn tuning(run: &Path, lr: f64) -> Result<FineTuneOptions> {
    let TrainConfig { batch, loss, freeze, seed, .. } = read_config(run)?.train;
    Ok(FineTuneOptions { batch, lr, loss, freeze, seed, ..FineTuneOptions::default() })
}

fn sentence(out: &Path, quantized: &Quantized) -> String {
    let taken = quantized.trials.first().map(|trial| format!(" ({trial})"));
    let taken = taken.unwrap_or_else(|| ", trained on in int8".into());
    format!(
        "wrote {}: {}, arena {}, {} MACs, calibrated on {} samples{taken}",
        out.display(),
        format::bytes(quantized.blob.len() as u64),
        arena(quantized.arena_bytes, quantized.arena_lower_bound),
        format::count(quantized.macs),
        quantized.calibrated
    )
}

/// Float against int8, layer by layer.
fn error_table(layers: &[LayerError]) -> Table {
    let mut table =
        Table::new(["layer", "operator", "SQNR / dB", "mean error", "largest error", "saturated"]).left_columns(2);
    for layer in layers {
        table.row([
            layer.name.clone(),
            layer.op.to_string(),
            format::optional(layer.sqnr_db, 1),
            format::fixed(layer.mean_abs, 5),
            format::fixed(layer.max_abs, 5),
            format::percent(layer.saturated, 2),
        ]);
    }
    table
}

/// What each layer costs: how much worse than float.
fn cost_table(sensitivity: &Sensitivity) -> Table {
    let change = if sensitivity.metric == "accuracy" { "accuracy lost" } else { "MAE added" };
    let header = ["layer".into(), "operator".into(), format!("{change}, it alone"), "SQNR / dB".into()];
    let rest = [format!("{change}, all but it"), "SQNR / dB".into()];
    let mut table = Table::new(header.into_iter().chain(rest)).left_columns(2);
    let cells = |effect: &Effect| [format::fixed(effect.drop, 5), format::optional(effect.sqnr_db, 1)];
    for layer in &sensitivity.layers {
        let [only, all_but] = [cells(&layer.only), cells(&layer.all_but)];
        table.row([layer.name.clone(), layer.op.to_string()].into_iter().chain(only).chain(all_but));
    }
    let drops: Vec<f64> = sensitivity.layers.iter().map(|layer| layer.only.drop).collect();
    table.bars(2, &drops);
    let all = cells(&sensitivity.int8);
    table.row(["all layers".to_string(), String::new()].into_iter().chain(all));
    table
}

fn history_table(history: &[EpochRow]) -> Table {
    let mut table = Table::new(["epoch in int8", "training loss", "validation loss", "MAE", "accuracy"]);
    for row in history {
        let loss = row.train_loss.is_finite().then_some(row.train_loss);
        let values = [loss, row.val_loss, row.val_mae, row.val_accuracy];
        table.row([row.epoch.to_string()].into_iter().chain(values.map(|value| format::optional(value, 5))));
    }
    table
}

fn trial_table(trials: &[Trial]) -> Table {
    let mut table = Table::new(["way of quantizing", "mean |int8 - float|"]);
    for trial in trials {
        table.row([trial.to_string(), format::optional(trial.error, 6)]);
    }
    table
}

fn report(
    args: &QuantizeArgs,
    quantized: &Quantized,
    costs: Option<&Sensitivity>,
    layers: Option<&[LayerError]>,
    history: &[EpochRow],
) -> Report {
    let mut report = Report::new(&format!("{} in int8", args.run.display()));
    report.lead(&sentence(&args.out, quantized));
    if !quantized.trials.is_empty() {
        report.section("Ways of quantizing, the best first").table(&trial_table(&quantized.trials));
    }
    if let Some(costs) = costs {
        report.section("What each layer costs").text(&format!(
            "On {} samples, {} {} in float. A layer is in int8 alone, or all layers are but it.",
            costs.samples,
            costs.metric,
            format::fixed(costs.float, 5)
        ));
        report.table(&cost_table(costs));
    }
    if let Some(layers) = layers {
        report.section("Float against int8, layer by layer").table(&error_table(layers));
    }
    if history.len() > 1 {
        report.section("Trained on in int8").table(&history_table(history));
        add_curves(&mut report, "loss", &history[1..]);
    }
    report
}
