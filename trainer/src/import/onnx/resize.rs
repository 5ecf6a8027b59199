//! Images of another size: Resize, and Upsample, which it once was called.

use super::conversion::Conversion;
use super::pools::{as_read, image};
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::import::builder::MAX_ELEMENTS;
use crate::import::unusable;
use crate::ops::{ResizeBilinear, ResizeNearest};

/// Lengths of height and width before and after, and the file's factor.
#[derive(Clone, Copy)]
struct Axis {
    from: usize,
    to: usize,
    factor: f32,
}

/// Inputs: an image, a region (unused), factors, or sizes; before version 11 factors only.
pub fn resize<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let list = |c: &mut Conversion<'_, 'f>, at: usize| {
        Ok(c.known(node, at)?.map(|list| list.values).filter(|list| !list.is_empty()))
    };
    let (factors, sizes) = if c.opset < 11 { (list(c, 1)?, None) } else { (list(c, 2)?, list(c, 3)?) };
    if node.text("keep_aspect_ratio_policy")?.is_some_and(|policy| policy != "stretch") {
        return Err(unusable("keeps the aspect ratio, which is not supported"));
    }
    let axes = axes(c, node, &x.shape(), factors, sizes)?;
    let transformation = match node.text("coordinate_transformation_mode")? {
        _ if c.opset < 11 => "asymmetric",
        given => given.unwrap_or("half_pixel"),
    };
    let nearest = if c.opset < 11 { "floor" } else { node.text("nearest_mode")?.unwrap_or("round_prefer_floor") };
    resized(c, node, &x, axes, transformation, nearest)
}

/// Inputs: an image, factors (once an attribute).
pub fn upsample<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let factors = match node.floats("scales")? {
        Some(list) => Some(list.into_iter().map(f64::from).collect()),
        None => c.known(node, 1)?.map(|list| list.values),
    };
    let axes = axes(c, node, &x.shape(), factors, None)?;
    resized(c, node, &x, axes, "asymmetric", "floor")
}

/// The two dimensions that change.
fn axes<'f>(
    c: &Conversion<'_, 'f>,
    node: &Node<'f>,
    shape: &[usize],
    factors: Option<Vec<f64>>,
    sizes: Option<Vec<f64>>,
) -> Result<[Axis; 2]> {
    let rank = shape.len();
    let chosen = match node.ints("axes")? {
        Some(list) => list.iter().map(|axis| c.axis(*axis, rank)).collect::<Result<Vec<usize>>>()?,
        None => (0..rank).collect(),
    };
    let (list, is_size) = match (factors, sizes) {
        (_, Some(sizes)) => (sizes, true),
        (Some(factors), None) => (factors, false),
        (None, None) => return Err(unusable("has neither factors nor sizes")),
    };
    if list.len() != chosen.len() || list.iter().any(|length| !(*length > 0.0 && *length <= MAX_ELEMENTS as f64)) {
        return Err(unusable(format!("resizes {shape:?} by {list:?}")));
    }
    let mut all: Vec<Axis> = shape.iter().map(|from| Axis { from: *from, to: *from, factor: 1.0 }).collect();
    for (axis, length) in chosen.into_iter().zip(list) {
        let from = shape[axis];
        let factor = if is_size { length as f32 / from as f32 } else { length as f32 };
        let to = if is_size { length as usize } else { (from as f32 * factor).floor() as usize };
        all[axis] = Axis { from, to, factor };
    }
    let fixed = all.iter().take(2).all(|axis| axis.from == axis.to);
    let one = Axis { from: 1, to: 1, factor: 1.0 };
    match all[..] {
        [_, _, width] if fixed => Ok([one, width]),
        [_, _, height, width] if fixed => Ok([height, width]),
        _ => Err(unusable(format!("resizes {shape:?} in more than height and width"))),
    }
}

fn resized<'f>(
    c: &mut Conversion<'_, 'f>,
    node: &Node<'f>,
    x: &Value,
    axes: [Axis; 2],
    transformation: &str,
    nearest: &str,
) -> Result<Vec<Value>> {
    let name = node.outputs[0];
    if node.int("antialias", 0)? != 0 {
        return Err(unusable("has antialiasing, which is not supported"));
    }
    if axes.iter().any(|axis| axis.to == 0 || axis.from.max(axis.to) > usize::from(u16::MAX)) {
        return Err(unusable("resizes from or to a side of 0 or more than 65,535"));
    }
    let from = image(c, name, x)?;
    let result = match node.text("mode")?.unwrap_or("nearest") {
        "nearest" => {
            let [rows, columns] = [table(axes[0], transformation, nearest)?, table(axes[1], transformation, nearest)?];
            c.builder.push(name, ResizeNearest { rows, columns }, &[from])?
        }
        "linear" | "bilinear" => {
            let resize = bilinear(axes, transformation)?;
            c.builder.push(name, resize, &[from])?
        }
        other => return Err(unusable(format!("has the mode {other}; nearest and linear are supported"))),
    };
    Ok(vec![as_read(&c.builder, result, x.dims.len() == 3)])
}

fn unknown(what: &str, found: &str) -> crate::Error {
    unusable(format!("has the {what} {found}, which is not supported"))
}

/// The input's position for each of the output, in the arithmetic of ONNX's definition (f32).
fn table(axis: Axis, transformation: &str, nearest: &str) -> Result<Vec<u16>> {
    let Axis { from, to, factor } = axis;
    let place = |at: usize| {
        let at = at as f32;
        Ok(match transformation {
            "half_pixel" | "half_pixel_symmetric" => (at + 0.5) / factor - 0.5,
            "pytorch_half_pixel" if to > 1 => (at + 0.5) / factor - 0.5,
            "asymmetric" => at / factor,
            "tf_half_pixel_for_nn" => (at + 0.5) / factor,
            "align_corners" if to > 1 => at * (from - 1) as f32 / (to - 1) as f32,
            "pytorch_half_pixel" | "align_corners" => 0.0,
            other => return Err(unknown("coordinate transformation", other)),
        })
    };
    let pick = |at: usize| {
        let place = place(at)?;
        let picked = match nearest {
            "round_prefer_floor" => (place - 0.5).ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            other => return Err(unknown("nearest mode", other)),
        };
        Ok((picked.max(0.0) as usize).min(from - 1) as u16)
    };
    (0..to).map(pick).collect()
}

fn bilinear(axes: [Axis; 2], transformation: &str) -> Result<ResizeBilinear> {
    let whole = |axis: &Axis| (axis.from as f32 * axis.factor - axis.to as f32).abs() < 1e-3;
    if transformation != "align_corners" && !axes.iter().all(whole) {
        return Err(unusable("has factors that give no whole sizes, which is supported for nearest only"));
    }
    let (aligned, half_pixel) = match transformation {
        "half_pixel" | "half_pixel_symmetric" => (false, true),
        "pytorch_half_pixel" if axes.iter().all(|axis| axis.to > 1 || axis.from == 1) => (false, true),
        "asymmetric" => (false, false),
        "align_corners" => (true, false),
        other => return Err(unknown("coordinate transformation", other)),
    };
    Ok(ResizeBilinear { size: [axes[0].to, axes[1].to], aligned, half_pixel })
}
