//! `ackermann bench`: a board's instructions for one inference, by layer.

use super::Output;
use super::args::BenchArgs;
use crate::board::{self, BenchResult};
use crate::quant::read_blob;
use crate::report::{Table, format};
use crate::{Error, ErrorKind, Result};

/// Boots the board with the blob and counts.
pub fn bench(args: &BenchArgs, output: Output) -> Result<()> {
    let blob = read_blob(&args.model)?;
    let result = board::bench(&args.board, &blob)?;
    let json = serde_json::to_value(&result).map_err(|error| Error::new(ErrorKind::Internal, "bench", error))?;
    output.finish(table(&result), &json)
}

fn table(result: &BenchResult) -> String {
    let columns = ["layer", "operator", "MACs", "instructions", "per MAC", "cycles (estimate)"];
    let mut layers = Table::new(columns).left_columns(2);
    for layer in &result.layers {
        layers.row([
            layer.index.to_string(),
            layer.op.clone(),
            format::count(layer.macs),
            format::count(layer.instructions),
            per_mac(layer.instructions, layer.macs),
            estimate(layer.cycles),
        ]);
    }
    let macs = result.layers.iter().map(|layer| layer.macs).sum();
    layers.row([
        String::new(),
        "total".to_string(),
        format::count(macs),
        format::count(result.instructions),
        per_mac(result.instructions, macs),
        estimate(result.cycles),
    ]);
    let mut memory = Table::new(["arena", "stack", "code", "of inference alone", "init instructions"]);
    memory.row([
        format::bytes(result.arena_bytes as u64),
        format::bytes(result.stack_bytes as u64),
        format::bytes(result.code_bytes as u64),
        result.inference_bytes.map_or("-".to_string(), |bytes| format::bytes(bytes as u64)),
        format::count(result.init_instructions),
    ]);
    format!(
        "{} on {}: {}; {}\n{}\n{}",
        result.model,
        result.board,
        if result.exact { "instructions counted one by one" } else { "instructions by the board's own counter" },
        if result.cycles.is_some() {
            "Cortex-M4 cycles estimated, see docs/cycles.md"
        } else {
            "no estimate of cycles"
        },
        layers.to_terminal(),
        memory.to_terminal()
    )
}

fn estimate(cycles: Option<u64>) -> String {
    cycles.map_or("-".to_string(), format::count)
}

fn per_mac(instructions: u64, macs: u64) -> String {
    if macs == 0 { "-".to_string() } else { format::fixed(instructions as f64 / macs as f64, 2) }
}
