//! `ackermann` without a command: simulate, train, quantize, export, drive, report. No data and no board needed.

use super::args::MainArgs;
use super::eval::predict;
use super::quantize::{tuned, tuning};
use super::recording::{Recording, simulate, simulated_augmentation};
use super::steering::Watched;
use super::train::{add_curves, fit_watched};
use super::{Output, pictures, progress};
use crate::data::metrics::regression;
use crate::data::{Augment, Augmented, FrameSet};
use crate::nn::{self, Network};
use crate::quant::qat::FineTuneOptions;
use crate::quant::{Int8Predictor, QuantizeOptions, Quantized, for_this_machine};
use crate::report::chart::predicted_against_true;
use crate::report::{Report, Series, Table, format};
use crate::sim::{
    DriveOptions, DriveResult, FRAMES_PER_SECOND, FULL_SCALE_DEG, RecordOptions, Split, World, drive, drive_shadowed,
};
use crate::train::{EpochRow, Predictor, TrainConfig};
use crate::{Error, ErrorKind, Result, files};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

/// The first of the test worlds that are driven; validation frames come from worlds before it.
const FIRST_TRACK: u64 = 1000;
/// Epochs in int8.
const INT8_EPOCHS: usize = 2;
/// Frames shown in the report.
const STRIP: usize = 12;

/// One track driven twice.
struct Track {
    float: DriveResult,
    int8: DriveResult,
    /// Root mean square difference of the two on the float drive's frames, degrees.
    difference_deg: f32,
}

/// A kind of arithmetic, summed up.
struct Score {
    autonomy: f64,
    mae_deg: f64,
    lateral_m: f64,
    predicted: Vec<f32>,
}

/// Does the main job.
pub fn run(args: &MainArgs, output: Output) -> Result<()> {
    let started = Instant::now();
    let network = steering_network(&args.net)?;
    files::check_folder(&args.out)?;
    let [height, width, _] = network.frame_size()?;
    let options = RecordOptions::new(args.seed, args.frames, height, width);
    output.say(format!("1/5 recording {} frames of the expert driver", format::count(args.frames as u64)));
    let train = simulate(&options, output)?;
    let val = simulate(&RecordOptions { split: Split::Test, frames: (args.frames / 8).max(1), ..options }, output)?;
    output.say(format!("2/5 training {} for {} epochs", network.name, args.epochs));
    let samples = (&Augmented::new(&train, simulated_augmentation()), &Augmented::new(&val, Augment::NONE));
    let history = train_network(args, &network, samples, output)?;
    output.say(format!("3/5 quantizing to int8, {INT8_EPOCHS} epochs of training in it"));
    let mut float = Predictor::load(&args.out)?;
    let blob = args.out.join(format!("{}.ackm", network.name));
    // The error of a good driver is hardly larger than a step of the int8 output: without training in it that would show.
    let tune = FineTuneOptions { epochs: INT8_EPOCHS, ..tuning(&args.out, FineTuneOptions::default().lr)? };
    let (both, options) = ((samples.0 as _, samples.1 as _), QuantizeOptions::default());
    let (quantized, _) = tuned(&float, both, &options, &tune, (&blob, "the same command"), output)?;
    output.say(format!("4/5 driving {} unseen tracks, float and int8", args.tracks));
    let tracks = drive_tracks(args, &network, &float, &quantized, output)?;
    output.say("5/5 writing the report");
    let packed = for_this_machine(&quantized.blob)?;
    let mut int8 = Int8Predictor::new(&packed)?;
    let scores = [
        score(
            predict(samples.1, output, |inputs| float.predict_inputs(inputs))?,
            &val,
            tracks.iter().map(|track| &track.float),
        )?,
        score(int8.predict(&val.pixels)?, &val, tracks.iter().map(|track| &track.int8))?,
    ];
    let path = args.out.join("report.html");
    let table = summary(&scores, &quantized, &tracks);
    report(args, &history, &val, &scores, &tracks, &table).write(&path)?;
    let seconds = started.elapsed().as_secs_f64();
    let text = format!(
        "{}\nblob:   {}\nreport: {}\nin {}; next: `ackermann drive {} --board mps2-an500`",
        table.to_terminal(),
        blob.display(),
        path.display(),
        format::seconds(seconds),
        blob.display()
    );
    output.finish(text, &result_json(&scores, &quantized, &tracks, seconds, &path, &blob))
}

/// The network of this name, which sees colour frames and gives one number.
fn steering_network(name: &str) -> Result<Network> {
    let network = nn::by_name(name)?;
    match (network.frame_size(), network.outputs()?) {
        (Ok([_, _, 3]), 1) => Ok(network),
        (_, outputs) => {
            let message = format!(
                "{} is no steering network: it takes {} of shape {:?} and gives {outputs} numbers, not one RGB frame and one number; \
                 `ackermann train` fits it to its own data",
                network.name,
                network.kind.name(),
                network.input
            );
            Err(Error::usage("--net", message))
        }
    }
}

fn train_network(
    args: &MainArgs,
    network: &Network,
    (train, val): (&Augmented<'_>, &Augmented<'_>),
    output: Output,
) -> Result<Vec<EpochRow>> {
    let config = TrainConfig { epochs: args.epochs, batch: 64, lr: 2e-3, seed: args.seed, ..TrainConfig::default() };
    Recording { seed: args.seed, sim_frames: args.frames, ..Recording::default() }.save(&args.out)?;
    let summary = fit_watched(network, &config, (train, val), &args.out, output, false)?;
    if summary.interrupted {
        let out = args.out.display();
        let message = format!("stopped while training; `ackermann train --resume --out {out}` finishes that part");
        return Err(Error::new(ErrorKind::Interrupted, args.out.display(), message));
    }
    Ok(summary.history)
}

/// Drives every track with float (int8 looking on) and with int8, several tracks at a time.
fn drive_tracks(
    args: &MainArgs,
    network: &Network,
    float: &Predictor,
    quantized: &Quantized,
    output: Output,
) -> Result<Vec<Track>> {
    let [height, width, _] = network.frame_size()?;
    let steps = (args.seconds * FRAMES_PER_SECOND) as u64;
    let bar = progress::bar(output, "driving", 2 * steps * args.tracks as u64);
    let options = DriveOptions { seconds: args.seconds, strip: STRIP, ..DriveOptions::new(height, width) };
    let packed = for_this_machine(&quantized.blob)?;
    let tracks = (0..args.tracks as u64).into_par_iter().map(|index| {
        let world = World::of(Split::Test, 0, FIRST_TRACK + index, args.seconds);
        let mut float = Predictor::new(network.clone(), float.params().clone())?;
        let mut int8 = Int8Predictor::new(&packed)?;
        let (float, difference_deg) = drive_shadowed(&world, &mut Watched::new(&mut float, &bar), &mut int8, &options)?;
        let int8 = drive(&world, &mut Watched::new(&mut int8, &bar), &options)?;
        Ok(Track { float, int8, difference_deg })
    });
    let tracks = tracks.collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();
    Ok(tracks)
}

fn score<'d>(
    predicted: Vec<f32>,
    val: &FrameSet,
    drives: impl Iterator<Item = &'d DriveResult> + Clone,
) -> Result<Score> {
    let count = drives.clone().count().max(1) as f64;
    let mean = |of: fn(&DriveResult) -> f32| drives.clone().map(|drive| f64::from(of(drive))).sum::<f64>() / count;
    let mae_deg = regression(&predicted, &val.labels)?.mae * f64::from(FULL_SCALE_DEG);
    Ok(Score { autonomy: mean(|d| d.autonomy), mae_deg, lateral_m: mean(|d| d.mean_lateral_m), predicted })
}

/// Root mean square of float against int8 steering over all tracks, degrees.
fn difference_deg(tracks: &[Track]) -> f64 {
    let squares: f64 = tracks.iter().map(|track| f64::from(track.difference_deg).powi(2)).sum();
    (squares / tracks.len().max(1) as f64).sqrt()
}

fn summary(scores: &[Score; 2], quantized: &Quantized, tracks: &[Track]) -> Table {
    let [float, int8] = scores;
    let mut table = Table::new(["", "float", "int8"]);
    table.row(["MAE on unseen frames", &degrees(float.mae_deg), &degrees(int8.mae_deg)]);
    table.row(["autonomy", &format::percent(float.autonomy, 2), &format::percent(int8.autonomy, 2)]);
    table.row(["lateral error, mean", &format!("{:.3} m", float.lateral_m), &format!("{:.3} m", int8.lateral_m)]);
    table.row(["float against int8 steering, RMS", "", &degrees(difference_deg(tracks))]);
    table.row(["blob", "", &format::bytes(quantized.blob.len() as u64)]);
    table.row(["arena", "", &format::bytes(quantized.arena_bytes as u64)]);
    table.row(["MACs per frame", "", &format::count(quantized.macs)]);
    table
}

fn degrees(value: f64) -> String {
    format!("{value:.3} deg")
}

fn result_json(
    scores: &[Score; 2],
    quantized: &Quantized,
    tracks: &[Track],
    seconds: f64,
    report: &Path,
    blob: &Path,
) -> Value {
    let [float, int8] = scores
        .each_ref()
        .map(|score| json!({ "autonomy": score.autonomy, "mae_deg": score.mae_deg, "lateral_m": score.lateral_m }));
    json!({
        "float": float, "int8": int8, "difference_deg": difference_deg(tracks), "blob_bytes": quantized.blob.len(),
        "arena_bytes": quantized.arena_bytes, "macs": quantized.macs, "seconds": seconds, "report": report, "blob": blob,
    })
}

fn report(
    args: &MainArgs,
    history: &[EpochRow],
    val: &FrameSet,
    scores: &[Score; 2],
    tracks: &[Track],
    table: &Table,
) -> Report {
    let mut report = Report::new("Camera to steering");
    report.lead(&format!(
        "{} trained on {} simulated frames, quantized to int8, driven on {} unseen tracks in unseen weather; seed {}.",
        args.net,
        format::count(args.frames as u64),
        args.tracks,
        args.seed
    ));
    report.table(table);
    add_curves(&mut report, "loss, normalized steering", history);
    let pairs = |score: &Score| -> Vec<_> {
        let scale = f64::from(FULL_SCALE_DEG);
        val.labels.iter().zip(&score.predicted).map(|(&t, &p)| (f64::from(t) * scale, f64::from(p) * scale)).collect()
    };
    let [float, int8] = scores.each_ref().map(pairs);
    let series = [Series { name: "float", points: &float }, Series { name: "int8", points: &int8 }];
    report.section("Unseen frames").figure(&predicted_against_true(
        "Predicted against true wheel angle.",
        "degrees",
        &series,
    ));
    for (index, track) in tracks.iter().enumerate() {
        let number = FIRST_TRACK + index as u64;
        let drives = [("float", &track.float), ("int8", &track.int8)];
        report.section(&format!("Track {number}")).text(&format!(
            "Autonomy {} float, {} int8; mean lateral error {:.3} m float, {:.3} m int8.",
            format::percent(f64::from(track.float.autonomy), 1),
            format::percent(f64::from(track.int8.autonomy), 1),
            track.float.mean_lateral_m,
            track.int8.mean_lateral_m
        ));
        report.wide_figure(&pictures::track_map("Driven lines over the track.", &drives));
        report.wide_figure(&pictures::steering("Wheel angle over time.", &drives));
        report.wide_figure(&pictures::frames(
            "Frames of the int8 drive with its steering and the expert's.",
            &track.int8,
        ));
    }
    report
}
