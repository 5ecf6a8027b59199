//! `ackermann flash`: build the firmware with a blob in it, write it, start it.

use super::Output;
use super::args::FlashArgs;
use crate::Result;
use crate::board;
use crate::quant::read_blob;
use serde_json::json;

/// Flashes the board and says how it answered.
pub fn flash(args: &FlashArgs, output: Output) -> Result<()> {
    let blob = read_blob(&args.model)?;
    let (greeting, image) = board::flash(&args.board, &blob)?;
    let [height, width, channels] = greeting.input;
    let elf = image.as_ref().map(|image| image.elf.display().to_string());
    let code = image.as_ref().map(|image| image.code_bytes());
    let text = format!(
        "{} started with {} ({height}x{width}x{channels}){}",
        args.board,
        greeting.model,
        elf.as_ref().map(|elf| format!("\nimage: {elf}")).unwrap_or_default()
    );
    let json = json!({
        "board": args.board, "model": greeting.model, "input": [height, width, channels], "image": elf, "code_bytes": code,
    });
    output.finish(text, &json)
}
