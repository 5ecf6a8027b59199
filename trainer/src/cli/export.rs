//! `ackermann export`: a trained network for other tools.

use super::Output;
use super::args::{ExportArgs, LayoutName};
use crate::report::format;
use crate::train::{Predictor, save_params};
use crate::{Error, Result, exchange, files};
use serde_json::json;

/// Writes the best parameters of a run; the ending of the file says as what.
pub fn export(args: &ExportArgs, output: Output) -> Result<()> {
    files::check_file(&args.to)?;
    let predictor = Predictor::load(&args.run)?;
    let (network, params) = (predictor.network(), predictor.params());
    match (args.to.extension().and_then(|ending| ending.to_str()), args.layout) {
        (Some("onnx"), LayoutName::Pytorch) => exchange::onnx::save(&args.to, network, params)?,
        (Some("onnx"), LayoutName::Ackermann) => {
            return Err(Error::usage("--layout", "is of safetensors files; an .onnx file has one layout"));
        }
        (Some("safetensors"), LayoutName::Pytorch) => exchange::save(&args.to, network, params)?,
        (Some("safetensors"), LayoutName::Ackermann) => save_params(&args.to, params)?,
        _ => {
            return Err(Error::usage(
                args.to.display(),
                "ends neither in .safetensors nor in .onnx, which can be written",
            ));
        }
    }
    let bytes = std::fs::metadata(&args.to).map_or(0, |file| file.len());
    let text = format!("wrote {}: {} of {}", args.to.display(), format::bytes(bytes), network.name);
    output.finish(text, &json!({ "to": args.to, "bytes": bytes, "network": network.name }))
}
