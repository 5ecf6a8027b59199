//! `ackermann run`: the core on the host or on a board, which give the same bytes.

use super::Output;
use super::args::RunArgs;
use crate::board::{self, HOST};
use crate::quant::{for_this_machine, read_blob, run_files, run_files_by};
use crate::{Result, files};
use serde_json::json;

/// Runs every input of the file and writes the outputs.
pub fn run(args: &RunArgs, output: Output) -> Result<()> {
    files::check_file(&args.output)?;
    let blob = read_blob(&args.model)?;
    let written = if args.board == HOST {
        run_files(&for_this_machine(&blob)?, &args.input, &args.output, args.keep_state)?
    } else {
        board::board(&args.board)?;
        let on_board = |samples: &[Vec<i8>]| board::run(&args.board, &blob, samples, args.keep_state);
        run_files_by(&blob, &args.input, &args.output, on_board)?
    };
    let text = format!("wrote {}", args.output.display());
    output.finish(text, &json!({ "output": args.output, "board": args.board, "outputs": written }))
}
