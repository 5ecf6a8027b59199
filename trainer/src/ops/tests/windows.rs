//! Operators that slide a window over images.

use super::case::Case;
use crate::graph::NodeId;
use crate::ops::*;

/// The case of one of them.
pub fn case(op: &str, c: &mut Case) -> Option<NodeId> {
    Some(match op {
        "Conv2d" => {
            let (window, image, filter, _) = c.conv();
            let (x, w, b) = (c.leaf(image), c.leaf(filter), c.leaf([filter[0]]));
            let op = Conv2d { stride: window.stride, dilation: window.dilation, padding: window.padding };
            c.graph.push(op, &[x, w, b]).unwrap()
        }
        "Conv2dInputGrad" => {
            let (window, image, filter, output) = c.conv();
            let (dy, w) = (c.leaf(output), c.leaf(filter));
            let op = Conv2dInputGrad {
                stride: window.stride,
                dilation: window.dilation,
                padding: window.padding,
                input: image.into(),
            };
            c.graph.push(op, &[dy, w]).unwrap()
        }
        "Conv2dFilterGrad" => {
            let (window, image, filter, output) = c.conv();
            let (x, dy) = (c.leaf(image), c.leaf(output));
            let op = Conv2dFilterGrad {
                stride: window.stride,
                dilation: window.dilation,
                padding: window.padding,
                filter: filter.into(),
            };
            c.graph.push(op, &[x, dy]).unwrap()
        }
        "DepthwiseConv2d" => {
            let (conv, image, filter, _) = c.depthwise();
            let (x, w, b) = (c.leaf(image), c.leaf(filter), c.leaf([filter[0]]));
            c.graph.push(conv, &[x, w, b]).unwrap()
        }
        "DepthwiseInputGrad" => {
            let (conv, image, filter, output) = c.depthwise();
            let (dy, w) = (c.leaf(output), c.leaf(filter));
            c.graph.push(DepthwiseInputGrad { conv, input: image.into() }, &[dy, w]).unwrap()
        }
        "DepthwiseFilterGrad" => {
            let (conv, image, filter, output) = c.depthwise();
            let (x, dy) = (c.leaf(image), c.leaf(output));
            c.graph.push(DepthwiseFilterGrad { conv, filter: filter.into() }, &[x, dy]).unwrap()
        }
        "MaxPool" => {
            let (window, image) = (c.window(), c.image());
            let x = c.leaf(image);
            c.graph.push(MaxPool { window }, &[x]).unwrap()
        }
        "MaxPoolGrad" => {
            let (window, image) = (c.window(), c.image());
            let [oh, ow] = window.output(image[1], image[2]).unwrap();
            let (x, dy) = (c.leaf(image), c.leaf([image[0], oh, ow, image[3]]));
            c.graph.push(MaxPoolGrad { window }, &[x, dy]).unwrap()
        }
        "MaxPoolPick" => {
            let (window, image) = (c.window(), c.image());
            let (x, v) = (c.leaf(image), c.leaf(image));
            c.graph.push(MaxPoolPick { window }, &[x, v]).unwrap()
        }
        "AvgPool" => {
            let (window, image) = (c.window(), c.image());
            let x = c.leaf(image);
            c.graph.push(AvgPool { window }, &[x]).unwrap()
        }
        "AvgPoolGrad" => {
            let (window, image) = (c.window(), c.image());
            let [oh, ow] = window.output(image[1], image[2]).unwrap();
            let dy = c.leaf([image[0], oh, ow, image[3]]);
            c.graph.push(AvgPoolGrad { window, input: image.into() }, &[dy]).unwrap()
        }
        _ => return None,
    })
}
