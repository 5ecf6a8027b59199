//! `ackermann drive`: closed loop in the simulator, a board in the loop.

use super::args::DriveArgs;
use super::blob::frame_size;
use super::steering::Watched;
use super::{Output, pictures, progress};
use crate::board::{BoardDriver, HOST, Logs, board};
use crate::quant::{load, read_blob};
use crate::report::{Report, Table, format};
use crate::sim::{Disturbances, DriveOptions, DriveResult, FRAMES_PER_SECOND, Policy, Split, World, drive};
use crate::train::Predictor;
use crate::{Error, Result, files};
use serde_json::json;

/// Frames shown in the report.
const STRIP: usize = 12;

/// What the board did besides steering.
#[derive(Default)]
struct Conduct {
    dropped: u64,
    safe_state_entries: u32,
}

/// Drives one track and says how well.
pub fn run(args: &DriveArgs, output: Output) -> Result<()> {
    args.report.as_deref().map_or(Ok(()), files::check_file)?;
    let disturbances = Disturbances { glare: args.glare, blackout: args.blackout };
    let world = World::of(Split::Test, 0, args.track, args.seconds).disturbed(disturbances);
    let (result, conduct) = if args.model.is_dir() {
        (drive_float(args, &world, output)?, Conduct::default())
    } else {
        drive_board(args, &world, output)?
    };
    if let Some(path) = &args.report {
        report(args, &result).write(path)?;
    }
    let json = json!({
        "autonomy": result.autonomy, "lateral_m": result.mean_lateral_m, "frames": result.trace.len(),
        "dropped": conduct.dropped, "safe_state_entries": conduct.safe_state_entries,
        "interventions": result.interventions, "mae_deg": result.mae_deg, "board": args.board, "track": args.track,
    });
    output.finish(table(&result, &conduct), &json)
}

fn drive_float(args: &DriveArgs, world: &World, output: Output) -> Result<DriveResult> {
    if args.board != HOST {
        let message = format!("{} runs blobs; quantize the run first: `ackermann quantize`", args.board);
        return Err(Error::usage(args.model.display(), message));
    }
    let mut policy = Predictor::load(&args.model)?;
    let [height, width, _] = policy.network().frame_size()?;
    watched_drive(args, world, &mut policy, height, width, output)
}

fn drive_board(args: &DriveArgs, world: &World, output: Output) -> Result<(DriveResult, Conduct)> {
    let blob = read_blob(&args.model)?;
    let [height, width, _] = frame_size(&load(&blob)?, &args.model)?;
    if args.board != HOST {
        board(&args.board)?;
        output.say(format!("building {} with {} and starting it", args.board, args.model.display()));
    }
    let mut driver = BoardDriver::start(&args.board, &blob, if output.json() { Logs::Off } else { Logs::Show })?;
    let result = watched_drive(args, world, &mut driver, height, width, output)?;
    let conduct = Conduct { dropped: driver.dropped(), safe_state_entries: driver.safe_state_entries()? };
    Ok((result, conduct))
}

fn watched_drive(
    args: &DriveArgs,
    world: &World,
    policy: &mut dyn Policy,
    height: usize,
    width: usize,
    output: Output,
) -> Result<DriveResult> {
    let bar = progress::bar(output, "driving", (args.seconds * FRAMES_PER_SECOND) as u64);
    let options = DriveOptions { seconds: args.seconds, strip: STRIP, ..DriveOptions::new(height, width) };
    let result = drive(world, &mut Watched::new(policy, &bar), &options)?;
    bar.finish_and_clear();
    Ok(result)
}

fn table(result: &DriveResult, conduct: &Conduct) -> String {
    let mut table =
        Table::new(["autonomy", "interventions", "lateral mean", "against expert", "frames", "dropped", "safe states"]);
    table.row([
        format::percent(f64::from(result.autonomy), 1),
        result.interventions.to_string(),
        format!("{:.3} m", result.mean_lateral_m),
        format!("{:.2} deg", result.mae_deg),
        result.trace.len().to_string(),
        conduct.dropped.to_string(),
        conduct.safe_state_entries.to_string(),
    ]);
    table.to_terminal()
}

fn report(args: &DriveArgs, result: &DriveResult) -> Report {
    let mut report = Report::new(&format!("Track {} driven by {} on {}", args.track, args.model.display(), args.board));
    report
        .section("Driven line")
        .wide_figure(&pictures::track_map("The driven line over the track", &[("driven", result)]));
    report.section("Steering").wide_figure(&pictures::steering("Wheel angle over time", &[("network", result)]));
    report.section("Camera").wide_figure(&pictures::frames("Frames with the steering drawn on them", result));
    report
}
