//! What a network costs on a board: instructions by layer, estimated cycles, memory, code.

use ackermann_core::Model;
use ackermann_core::blob::AlignedBytes;
use ackermann_firmware::link::{Bench, Status, Transport};
use serde::Serialize;

use super::counts::{self, Interval};
use super::image::{Image, inference_bytes};
use super::link::{Greeting, Link};
use super::qemu::{Logs, Qemu};
use super::registry::{Board, HOST, board};
use super::session::{boot, built, instructions};
use super::{cycles, elf};
use crate::{Error, ErrorKind, Result};

/// The processor whose cycles can be estimated.
const ESTIMATED: &str = "cortex-m4";

/// One operator's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BenchLayer {
    /// Place in the order of running.
    pub index: usize,
    /// Operator.
    pub op: String,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Instructions.
    pub instructions: u64,
    /// Cycles of a Cortex-M4, an estimate; only where the board is one.
    pub cycles: Option<u64>,
}

/// The `bench` command's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BenchResult {
    /// Board.
    pub board: String,
    /// Name of the network.
    pub model: String,
    /// Instructions of one run, measured as a whole.
    pub instructions: u64,
    /// Whether instructions were counted one by one; else they are the board's own figure, to the tick of its counter.
    pub exact: bool,
    /// Cycles of a Cortex-M4 for one run, an estimate (`docs/cycles.md`); only where the board is one.
    pub cycles: Option<u64>,
    /// Bytes of arena in use.
    pub arena_bytes: usize,
    /// Deepest stack, bytes.
    pub stack_bytes: usize,
    /// Bytes of code and constants of the firmware, without the model.
    pub code_bytes: usize,
    /// Bytes of code and constants of an image that does nothing but this inference, without the model; only on a Cortex-M.
    pub inference_bytes: Option<usize>,
    /// Instructions from blob to ready session.
    pub init_instructions: u64,
    /// The operators.
    pub layers: Vec<BenchLayer>,
}

/// A run's cost: instructions, and cycles where they can be estimated.
type Cost = (u64, Option<u64>);

/// Runs `blob` on the board called `name` and counts. On the host nothing is counted: instructions are 0.
pub fn bench(name: &str, blob: &[u8]) -> Result<BenchResult> {
    let mut started = start(name, blob)?;
    if started.greeting.status != Status::Ok {
        let message = format!("{}: {}", started.greeting.status.describe(), started.greeting.model);
        return Err(Error::new(ErrorKind::DoesNotFit, name, message));
    }
    let before = started.counts()?.len();
    let bench = started.link.bench()?;
    let info = started.link.info()?;
    let exact = started.counted(before, bench.operators.len())?;
    let ticks = |ticks| (instructions(ticks, info.tick_picos), None);
    let measured = |bench: &Bench| [&[bench.total], &bench.operators[..]].concat().into_iter().map(ticks).collect();
    let costs: Vec<Cost> = exact.clone().unwrap_or_else(|| measured(&bench));
    let (&whole, each) = costs.split_first().unwrap_or((&(0, None), &[]));
    let inference_bytes = started.image.as_ref().map_or(Ok(None), |(board, _)| inference_bytes(board, blob))?;
    let blob = AlignedBytes::copy_of(blob);
    let model = Model::load(&blob).map_err(|error| Error::new(ErrorKind::BadBlob, "the blob", error))?;
    let layers = model.steps().zip(each).enumerate().map(|(index, (step, &(instructions, cycles)))| BenchLayer {
        index,
        op: step.operator.opcode().name().to_string(),
        macs: step.operator.macs(&step.sides),
        instructions,
        cycles,
    });
    Ok(BenchResult {
        board: name.to_string(),
        model: started.greeting.model,
        instructions: whole.0,
        exact: exact.is_some(),
        cycles: whole.1,
        arena_bytes: info.arena_bytes as usize,
        stack_bytes: info.stack_bytes as usize,
        code_bytes: started.image.map_or(0, |(_, image)| image.code_bytes()),
        inference_bytes,
        init_instructions: ticks(info.init_ticks).0,
        layers: layers.collect(),
    })
}

/// A board that may be counted.
struct Started {
    link: Link,
    greeting: Greeting,
    image: Option<(&'static Board, Image)>,
    /// With the plugin, where QEMU takes it.
    qemu: Option<Qemu>,
}

fn start(name: &str, blob: &[u8]) -> Result<Started> {
    if name == HOST {
        let (link, greeting, _) = boot(name, blob, Logs::Off)?;
        return Ok(Started { link, greeting, image: None, qemu: None });
    }
    let board = board(name)?;
    let image = built(board, blob)?;
    // Without the plugin there is still the board's own counter.
    let counting = counts::counter().and_then(|counter| Qemu::start_counting(board, &image, &counter));
    let (link, qemu): (Box<dyn Transport + Send>, _) = match counting {
        Ok(qemu) => (Box::new(qemu.link()?), Some(qemu)),
        Err(_) => (Box::new(Qemu::start(board, &image, Logs::Off)?), None),
    };
    let (link, greeting) = Link::open(link, name)?;
    Ok(Started { link, greeting, image: Some((board, image)), qemu })
}

impl Started {
    fn counts(&self) -> Result<Vec<Interval>> {
        self.qemu.as_ref().map_or(Ok(Vec::new()), Qemu::counts)
    }

    /// The cost of the whole run and of each operator, from what was counted since the first `before` intervals.
    ///
    /// The firmware reads its clock before and after the run, and in a second run once at the start and then twice between operators; each
    /// reading is two marks, so that it is itself an interval.
    fn counted(&self, before: usize, operators: usize) -> Result<Option<Vec<Cost>>> {
        let (Some((board, image)), counts) = (&self.image, self.counts()?) else { return Ok(None) };
        let counts = counts.get(before..).unwrap_or_default();
        if counts.len() != 6 + 4 * operators {
            return Ok(None);
        }
        let code = if board.target_cpu == ESTIMATED { Some(elf::code(&image.elf)?) } else { None };
        let cost = |interval: &Interval| {
            let cycles = code.as_ref().and_then(|code| cycles::estimate(code, interval));
            (counts::instructions(interval), cycles)
        };
        let runs = std::iter::once(2).chain((0..operators).map(|operator| 6 + 4 * operator));
        Ok(Some(runs.filter_map(|at| counts.get(at)).map(cost).collect()))
    }
}
