//! `ackermann run`: the core on the host or on a board, which give the same bytes.

use super::Output;
use super::args::RunArgs;
use crate::board::{self, HOST};
use crate::quant::{for_this_machine, read_blob, run_npy, run_npy_by};
use crate::{Result, files};
use serde_json::json;

/// Runs every input of the file and writes the outputs.
pub fn run(args: &RunArgs, output: Output) -> Result<()> {
    files::check_file(&args.output)?;
    let blob = read_blob(&args.model)?;
    if args.board == HOST {
        run_npy(&for_this_machine(&blob)?, &args.input, &args.output)?;
    } else {
        board::board(&args.board)?;
        run_npy_by(&blob, &args.input, &args.output, |_, inputs| board::run(&args.board, &blob, inputs))?;
    }
    output.finish(format!("wrote {}", args.output.display()), &json!({ "output": args.output, "board": args.board }))
}
