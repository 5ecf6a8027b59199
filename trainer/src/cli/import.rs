//! `ackermann import`: a network from another tool becomes a blob.

use super::Output;
use super::args::{ImportArgs, RoundingName};
use crate::import::{DenseRounding, ImportOptions, import_tflite};
use crate::report::format;
use crate::{Error, ErrorKind, Result, files, quant};
use serde_json::json;

/// Imports a file and writes the blob.
pub fn import(args: &ImportArgs, output: Output) -> Result<()> {
    files::check_file(&args.out)?;
    if args.model.extension().is_none_or(|extension| extension != "tflite") {
        let message = "is not a .tflite file, the one foreign format that is read";
        return Err(Error::new(ErrorKind::BadFile, args.model.display(), message));
    }
    let rounding = match args.rounding {
        RoundingName::Tflm => DenseRounding::Double,
        RoundingName::Litert => DenseRounding::Single,
    };
    let blob = import_tflite(&args.model, &ImportOptions { rounding })?;
    let model = quant::load(&blob)?;
    files::write(&args.out, &blob)?;
    let (bytes, arena, macs) = (model.blob_bytes() as u64, model.arena_bytes() as u64, model.macs());
    let text = format!(
        "wrote {}: {} operators, {}, arena {}, {} MACs",
        args.out.display(),
        model.operators(),
        format::bytes(bytes),
        format::bytes(arena),
        format::count(macs)
    );
    let json = json!({
        "out": args.out, "operators": model.operators(), "blob_bytes": bytes, "arena_bytes": arena, "macs": macs,
    });
    output.finish(text, &json)
}
