//! What the commands do with a board: start it, drive with it, flash it.

use std::process::{Command, Stdio};

use ackermann_core::Model;
use ackermann_core::blob::{AlignedBytes, keys, received};
use ackermann_firmware::control::Phase;
use ackermann_firmware::link::{Info, Status};

use super::host;
use super::image::{Image, build_image, repository, require_target};
use super::link::{Greeting, Link};
use super::qemu::{Logs, Qemu, require_qemu};
use super::registry::{Board, HOST, Support, board};
use crate::quant::for_this_machine;
use crate::sim::{FRAMES_PER_SECOND, Policy};
use crate::{Error, ErrorKind, Frame, Result};

/// Wheel angle of an output of 1.0 where the blob does not say, degrees; the firmware has the same.
const DEFAULT_FULL_SCALE_DEG: f32 = 25.0;

/// Starts the board called `name` (or the host) with `blob` built in, and opens its link. The image is there if one was built.
pub fn boot(name: &str, blob: &[u8], logs: Logs) -> Result<(Link, Greeting, Option<Image>)> {
    if name == HOST {
        check(blob)?;
        let packed = if blob.is_empty() { AlignedBytes::zeroed(0) } else { for_this_machine(blob)? };
        let (link, greeting) = Link::open(Box::new(host::start(&packed)), HOST)?;
        return Ok((link, greeting, None));
    }
    let board = board(name)?;
    let image = built(board, blob)?;
    let qemu = Qemu::start(board, &image, logs)?;
    let (link, greeting) = Link::open(Box::new(qemu), name)?;
    Ok((link, greeting, Some(image)))
}

/// An image of `board` with `blob`, after all that can be said before it is built.
pub(super) fn built(board: &Board, blob: &[u8]) -> Result<Image> {
    if let Some(obstacle) = check(blob)?.and_then(|(bytes, arena)| board.obstacle(bytes, arena)) {
        return Err(Error::new(ErrorKind::DoesNotFit, board.name, obstacle));
    }
    require_qemu(board)?;
    build_image(board, blob)
}

/// Builds firmware with `blob`, starts it and returns how it greets. A board that is no emulation is left to probe-rs, with the image
/// that it should write.
pub fn flash(name: &str, blob: &[u8]) -> Result<(Greeting, Option<Image>)> {
    let (_, greeting, image) = boot(name, blob, Logs::Show)?;
    if greeting.status != Status::Ok {
        let message = format!("started, but {}: {}", greeting.status.describe(), greeting.model);
        return Err(Error::new(ErrorKind::Link, name, message));
    }
    Ok((greeting, image))
}

/// Samples (the bytes of all inputs, one after another) through `blob` on the board called `name`: the bytes of all outputs of each. States
/// forget before each, unless they are kept.
///
/// # Errors
/// A board or blob that does not start, bytes that are no whole inputs.
pub fn run(name: &str, blob: &[u8], samples: &[Vec<i8>], keep_state: bool) -> Result<Vec<Vec<i8>>> {
    let (mut link, greeting, _) = boot(name, blob, Logs::Off)?;
    if greeting.status != Status::Ok {
        let message = format!("{}: {}", greeting.status.describe(), greeting.model);
        return Err(Error::new(ErrorKind::DoesNotFit, name, message));
    }
    let run = |sample: &Vec<i8>| {
        let bytes: Vec<u8> = sample.iter().map(|value| *value as u8).collect();
        link.run(&bytes, !keep_state).map(|ran| ran.output.into_iter().map(|byte| byte as i8).collect())
    };
    samples.iter().map(run).collect()
}

/// Whether `board` can be built and run here, or what is missing and how to get it.
pub fn ready(board: &Board) -> Result<()> {
    require_target(&repository()?, board)?;
    match board.support {
        Support::Qemu(_) => require_qemu(board).map(|_| ()),
        Support::BuildsOnly => Ok(()),
    }
}

/// The debug probes that are plugged in, as `probe-rs list` describes them; none if there is no probe-rs.
pub fn attached() -> Vec<String> {
    let listing = Command::new("probe-rs").arg("list").stdin(Stdio::null()).output();
    let text = listing.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().filter(|line| line.starts_with('[')).map(str::to_string).collect()
}

/// Refuses what the loader refuses, before anything is built; bytes of blob and arena. An empty blob is firmware without a
/// model.
fn check(blob: &[u8]) -> Result<Option<(usize, usize)>> {
    let blob = AlignedBytes::copy_of(blob);
    if blob.is_empty() {
        return Ok(None);
    }
    let model = received(&blob).map_err(|error| Error::new(ErrorKind::BadBlob, "the blob", error))?;
    Ok(Some((model.blob_bytes(), model.arena_bytes())))
}

/// What a board did with a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Steered {
    /// `Ok`, or why the frame was not steered by.
    pub status: Status,
    /// Driving, or how far into the safe state.
    pub phase: Phase,
    /// The wheels' angle, degrees, + = right.
    pub degrees: f32,
    /// The network's raw output; empty if it did not run.
    pub raw: Vec<i8>,
    /// Instructions of the run; 0 on the host.
    pub instructions: u64,
}

/// A board in the loop: sends it frames, 30 to a second of simulated time, and returns its steering.
pub struct BoardDriver {
    link: Link,
    tick_picos: u32,
    full_scale_deg: f32,
    frames: u64,
    dropped: u64,
}

impl BoardDriver {
    /// Starts the board called `name` (or the host) with `blob`.
    pub fn start(name: &str, blob: &[u8], logs: Logs) -> Result<Self> {
        let (mut link, greeting, _) = boot(name, blob, logs)?;
        if greeting.input[2] != 3 {
            let message = "the network does not take an RGB picture, so there is nothing to drive by";
            return Err(Error::new(ErrorKind::Shape, name, message));
        }
        let tick_picos = link.info()?.tick_picos;
        Ok(Self { link, tick_picos, full_scale_deg: full_scale_deg(blob), frames: 0, dropped: 0 })
    }

    /// Sends the next frame.
    pub fn drive(&mut self, frame: &Frame) -> Result<Steered> {
        let time_us = (self.frames as f64 * 1e6 / f64::from(FRAMES_PER_SECOND)) as u64;
        let reply = self.link.frame(time_us, frame)?;
        self.frames += 1;
        self.dropped += u64::from(reply.status != Status::Ok);
        Ok(Steered {
            status: reply.status,
            phase: reply.phase,
            degrees: reply.steering.to_num(),
            raw: reply.outputs.iter().map(|&byte| byte as i8).collect(),
            instructions: instructions(reply.ticks, self.tick_picos),
        })
    }

    /// Frames sent.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames that were not steered by.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// How often the safe state was entered.
    pub fn safe_state_entries(&mut self) -> Result<u32> {
        let time_us = (self.frames as f64 * 1e6 / f64::from(FRAMES_PER_SECOND)) as u64;
        Ok(self.link.tick(time_us)?.safe_entries)
    }

    /// What the board measured.
    pub fn info(&mut self) -> Result<Info> {
        self.link.info()
    }
}

impl Policy for BoardDriver {
    fn steer(&mut self, frame: &Frame) -> Result<f32> {
        Ok(self.drive(frame)?.degrees / self.full_scale_deg)
    }
}

/// Instructions in `ticks`: in QEMU one takes 1000 ps.
pub(super) fn instructions(ticks: u32, tick_picos: u32) -> u64 {
    u64::from(ticks) * u64::from(tick_picos) / 1000
}

fn full_scale_deg(blob: &[u8]) -> f32 {
    let blob = AlignedBytes::copy_of(blob);
    let model = Model::load(&blob).ok();
    let text = model.and_then(|model| model.metadata().get(keys::FULL_SCALE_DEG));
    text.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_FULL_SCALE_DEG)
}
