//! What a network costs on a board: instructions by layer, memory, code.

use ackermann_core::Model;
use ackermann_core::blob::AlignedBytes;
use ackermann_firmware::link::Status;
use serde::Serialize;

use super::qemu::Logs;
use super::session::{boot, instructions};
use crate::{Error, ErrorKind, Result};

/// One operator's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BenchLayer {
    /// Place in the order of running.
    pub index: usize,
    /// Operator.
    pub op: String,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Instructions, to the tick of the board's counter.
    pub instructions: u64,
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
    /// Bytes of arena in use.
    pub arena_bytes: usize,
    /// Deepest stack, bytes.
    pub stack_bytes: usize,
    /// Bytes of code and constants of the firmware, without the model.
    pub code_bytes: usize,
    /// Instructions from blob to ready session.
    pub init_instructions: u64,
    /// The operators.
    pub layers: Vec<BenchLayer>,
}

/// Runs `blob` on the board called `name` and counts. On the host nothing is counted: instructions are 0.
pub fn bench(name: &str, blob: &[u8]) -> Result<BenchResult> {
    let (mut link, greeting, image) = boot(name, blob, Logs::Off)?;
    if greeting.status != Status::Ok {
        let message = format!("{}: {}", greeting.status.describe(), greeting.model);
        return Err(Error::new(ErrorKind::DoesNotFit, name, message));
    }
    let bench = link.bench()?;
    let info = link.info()?;
    let blob = AlignedBytes::copy_of(blob);
    let model = Model::load(&blob).map_err(|error| Error::new(ErrorKind::BadBlob, "the blob", error))?;
    let count = |ticks| instructions(ticks, info.tick_picos);
    let layers = model.steps().zip(&bench.operators).enumerate().map(|(index, (step, &ticks))| BenchLayer {
        index,
        op: step.operator.opcode().name().to_string(),
        macs: step.operator.macs(&step.sides),
        instructions: count(ticks),
    });
    Ok(BenchResult {
        board: name.to_string(),
        model: greeting.model,
        instructions: count(bench.total),
        arena_bytes: info.arena_bytes as usize,
        stack_bytes: info.stack_bytes as usize,
        code_bytes: image.map_or(0, |image| image.code_bytes()),
        init_instructions: count(info.init_ticks),
        layers: layers.collect(),
    })
}
