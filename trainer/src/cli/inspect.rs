//! `ackermann inspect`: layers, shapes, memory, and the boards a network fits.

use super::Output;
use super::args::InspectArgs;
use super::blob::arena;
use crate::board::BOARDS;
use crate::nn::{self, Network};
use crate::quant::{Inspection, inspect_blob, inspect_network, read_blob};
use crate::report::{Table, format};
use crate::train::read_config;
use crate::{Error, ErrorKind, Result};
use serde_json::json;
use std::path::Path;

/// Shows a blob, a run's network, or a network by name or file; without any, the named networks.
pub fn inspect(args: &InspectArgs, output: Output) -> Result<()> {
    let Some(model) = &args.model else { return list(output) };
    let path = Path::new(model);
    let network = if nn::names().contains(&model.as_str()) || model.ends_with(".json") {
        nn::by_name(model)?
    } else if path.is_dir() {
        read_config(path)?.network
    } else if path.exists() {
        return show(&inspect_blob(&read_blob(path)?)?, output);
    } else {
        let message = format!("is neither a file nor the name of a network; the names are {}", nn::names().join(", "));
        return Err(Error::new(ErrorKind::MissingFile, model, message));
    };
    match inspect_network(&network) {
        Ok(inspection) => show(&inspection, output),
        Err(error) => show_float(&network, &error, output),
    }
}

/// The named networks.
fn list(output: Output) -> Result<()> {
    let mut table = Table::new(["network", "takes", "input", "outputs", "parameters", "MACs"]).left_columns(3);
    let mut rows = Vec::new();
    for name in nn::names() {
        let network = nn::by_name(name)?;
        let (layers, outputs) = (network.summary()?, network.outputs()?);
        let parameters: usize = layers.iter().map(|layer| layer.parameters).sum();
        let macs: usize = layers.iter().map(|layer| layer.macs).sum();
        table.row([
            name.to_string(),
            network.kind.name().to_string(),
            shape(&network.input),
            outputs.to_string(),
            format::count(parameters as u64),
            format::count(macs as u64),
        ]);
        rows.push(json!({
            "name": name, "takes": network.kind.name(), "input": network.input, "outputs": outputs, "parameters": parameters, "macs": macs,
        }));
    }
    output.finish(table.to_terminal(), &json!({ "networks": rows }))
}

/// What the int8 core makes of it.
fn show(inspection: &Inspection, output: Output) -> Result<()> {
    let boards: Vec<_> = BOARDS
        .iter()
        .map(|board| {
            let obstacle = board.obstacle(inspection.blob_bytes, inspection.arena_bytes);
            json!({ "name": board.name, "fits": obstacle.is_none(), "why": obstacle })
        })
        .collect();
    let mut json =
        serde_json::to_value(inspection).map_err(|error| Error::new(ErrorKind::Internal, "inspect", error))?;
    json["boards"] = boards.into();
    output.finish(text(inspection), &json)
}

/// A network that has no int8 form, because of `why`.
fn show_float(network: &Network, why: &Error, output: Output) -> Result<()> {
    let layers = network.summary()?;
    let mut table = Table::new(["", "layer", "operator", "output", "parameters", "MACs"]).left_columns(4);
    for (index, layer) in layers.iter().enumerate() {
        table.row([
            index.to_string(),
            layer.name.clone(),
            layer.op.to_string(),
            shape(&layer.shape),
            format::count(layer.parameters as u64),
            format::count(layer.macs as u64),
        ]);
    }
    let parameters: usize = layers.iter().map(|layer| layer.parameters).sum();
    let macs: usize = layers.iter().map(|layer| layer.macs).sum();
    let all = ["", "total", "", "", &format::count(parameters as u64), &format::count(macs as u64)];
    table.row(all.map(String::from));
    let rows: Vec<_> = layers.iter().map(|layer| json!({
        "name": layer.name, "op": layer.op, "shape": layer.shape.dims(), "parameters": layer.parameters, "macs": layer.macs,
    })).collect();
    let text = format!("{}: {} in\n{}\nfloat only: {why}", network.name, shape(&network.input), table.to_terminal());
    output.finish(text, &json!({
        "name": network.name, "input": network.input, "parameters": parameters, "macs": macs, "layers": rows, "float_only": why.to_string(),
    }))
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
