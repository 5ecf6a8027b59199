//! `ackermann run`: the core on the host, byte-exact with every board.

use super::Output;
use super::args::RunArgs;
use crate::quant::{for_this_machine, read_blob, run_npy};
use crate::{Result, files};
use serde_json::json;

/// Runs every input of the file and writes the outputs.
pub fn run(args: &RunArgs, output: Output) -> Result<()> {
    files::check_file(&args.output)?;
    run_npy(&for_this_machine(&read_blob(&args.model)?)?, &args.input, &args.output)?;
    output.finish(format!("wrote {}", args.output.display()), &json!({ "output": args.output }))
}
