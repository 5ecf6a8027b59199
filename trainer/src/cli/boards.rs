//! `ackermann boards`: what is supported and how it runs.

use super::Output;
use crate::Result;
use crate::board::BOARDS;
use crate::report::{Table, format};
use serde_json::json;

/// Lists the boards.
pub fn boards(output: Output) -> Result<()> {
    let mut table = Table::new(["board", "cpu", "target", "flash", "ram", "support"]).left_columns(3);
    let mut list = Vec::new();
    for board in &BOARDS {
        let (flash, ram) = (board.flash_bytes as u64, board.ram_bytes as u64);
        table.row([
            board.name.to_string(),
            board.cpu.to_string(),
            board.target.to_string(),
            format::bytes(flash),
            format::bytes(ram),
            board.support.describe().to_string(),
        ]);
        list.push(json!({
            "name": board.name, "cpu": board.cpu, "target": board.target, "flash_bytes": flash, "ram_bytes": ram,
            "support": board.support.describe(),
        }));
    }
    output.finish(table.to_terminal(), &json!({ "boards": list }))
}
