//! `ackermann inspect`: layers, shapes, memory, and the boards a network fits.

use super::Output;
use super::args::InspectArgs;
use super::blob::arena;
use crate::board::BOARDS;
use crate::nn;
use crate::quant::{Inspection, inspect_blob, inspect_network, read_blob};
use crate::report::{Table, format};
use crate::{Error, ErrorKind, Result};
use serde_json::json;
use std::path::Path;

/// Shows a blob, or a network by name.
pub fn inspect(args: &InspectArgs, output: Output) -> Result<()> {
    let inspection = if nn::names().contains(&args.model.as_str()) {
        inspect_network(&nn::by_name(&args.model)?)?
    } else {
        let path = Path::new(&args.model);
        if !path.exists() {
            let names = nn::names().join(", ");
            let message = format!("is neither a file nor the name of a network; the names are {names}");
            return Err(Error::new(ErrorKind::MissingFile, &args.model, message));
        }
        inspect_blob(&read_blob(path)?)?
    };
    let boards: Vec<_> = BOARDS
        .iter()
        .map(|board| {
            let obstacle = board.obstacle(inspection.blob_bytes, inspection.arena_bytes);
            json!({ "name": board.name, "fits": obstacle.is_none(), "why": obstacle })
        })
        .collect();
    let mut json =
        serde_json::to_value(&inspection).map_err(|error| Error::new(ErrorKind::Internal, "inspect", error))?;
    json["boards"] = boards.into();
    output.finish(text(&inspection), &json)
}

fn text(inspection: &Inspection) -> String {
    let mut layers = Table::new(["", "layer", "operator", "output", "parameters", "MACs", "bytes"]).left_columns(4);
    for layer in &inspection.layers {
        layers.row([
            layer.index.to_string(),
            layer.name.clone(),
            layer.op.to_string(),
            shape(&layer.shape),
            format::count(layer.parameters),
            format::count(layer.macs),
            format::count(layer.bytes as u64),
        ]);
    }
    layers.row([
        String::new(),
        "total".to_string(),
        String::new(),
        String::new(),
        format::count(inspection.parameters),
        format::count(inspection.macs),
        format::count(inspection.blob_bytes as u64),
    ]);
    let mut boards = Table::new(["board", "fits"]).left_columns(2);
    for board in &BOARDS {
        let obstacle = board.obstacle(inspection.blob_bytes, inspection.arena_bytes);
        boards.row([board.name.to_string(), obstacle.unwrap_or_else(|| "yes".to_string())]);
    }
    let metadata: String = inspection.metadata.iter().map(|(key, value)| format!("\n{key}: {value}")).collect();
    format!(
        "{}: {} in, {} out, arena {}\n{}\n{}{metadata}",
        inspection.name,
        shape(&inspection.input),
        shape(&inspection.output),
        arena(inspection.arena_bytes, inspection.arena_lower_bound),
        layers.to_terminal(),
        boards.to_terminal()
    )
}

fn shape(dimensions: &[usize]) -> String {
    dimensions.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}
