//! Operators that slide a window over images.

use super::case::Case;
use crate::graph::{NodeId, Shape};
use crate::ops::*;

/// The case of one of them.
pub fn case(op: &str, c: &mut Case) -> Option<NodeId> {
    convolution(op, c).or_else(|| in_groups(op, c)).or_else(|| resize(op, c)).or_else(|| pool(op, c))
}

fn convolution(op: &str, c: &mut Case) -> Option<NodeId> {
    Some(match op {
        "Conv2d" => {
            let (window, image, filter, _) = c.conv();
            let (x, w, b) = (c.leaf(image), c.leaf(filter), c.leaf([filter[0]]));
            c.graph.push(over(window), &[x, w, b]).unwrap()
        }
        "Conv2dInputGrad" => {
            let (window, image, filter, output) = c.conv();
            let (dy, w) = (c.leaf(output), c.leaf(filter));
            c.graph.push(Conv2dInputGrad { conv: over(window), input: image.into() }, &[dy, w]).unwrap()
        }
        "Conv2dFilterGrad" => {
            let (window, image, filter, output) = c.conv();
            let (x, dy) = (c.leaf(image), c.leaf(output));
            c.graph.push(Conv2dFilterGrad { conv: over(window), filter: filter.into() }, &[x, dy]).unwrap()
        }
        "TransposedConv2d" => {
            let (window, _, filter, [n, oh, ow, filters]) = c.conv();
            let more = window.stride.map(|stride| stride - 1);
            let padding = Padding { top: 0, right: 0, ..window.padding };
            let (x, w, b) = (c.leaf([n, oh, ow, filters]), c.leaf(filter), c.leaf([filter[3]]));
            let op = TransposedConv2d { stride: window.stride, dilation: window.dilation, padding, more };
            c.graph.push(op, &[x, w, b]).unwrap()
        }
        _ => return None,
    })
}

fn in_groups(op: &str, c: &mut Case) -> Option<NodeId> {
    Some(match op {
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
        "GroupedConv2d" => {
            let (conv, image, filter, _) = c.grouped();
            let (x, w, b) = (c.leaf(image), c.leaf(filter), c.leaf([filter[0]]));
            c.graph.push(conv, &[x, w, b]).unwrap()
        }
        "GroupedInputGrad" => {
            let (conv, image, filter, output) = c.grouped();
            let (dy, w) = (c.leaf(output), c.leaf(filter));
            c.graph.push(GroupedInputGrad { conv, input: image.into() }, &[dy, w]).unwrap()
        }
        "GroupedFilterGrad" => {
            let (conv, image, filter, output) = c.grouped();
            let (x, dy) = (c.leaf(image), c.leaf(output));
            c.graph.push(GroupedFilterGrad { conv, filter: filter.into() }, &[x, dy]).unwrap()
        }
        _ => return None,
    })
}

fn resize(op: &str, c: &mut Case) -> Option<NodeId> {
    Some(match op {
        "ResizeNearest" => {
            let (resize, image, _) = c.nearest();
            let x = c.leaf(image);
            c.graph.push(resize, &[x]).unwrap()
        }
        "ResizeNearestGrad" => {
            let (resize, image, output) = c.nearest();
            let dy = c.leaf(output);
            c.graph.push(ResizeNearestGrad { resize, input: image.into() }, &[dy]).unwrap()
        }
        "ResizeBilinear" => {
            let (resize, image, _) = c.bilinear();
            let x = c.leaf(image);
            c.graph.push(resize, &[x]).unwrap()
        }
        "ResizeBilinearGrad" => {
            let (resize, image, output) = c.bilinear();
            let dy = c.leaf(output);
            c.graph.push(ResizeBilinearGrad { resize, input: image.into() }, &[dy]).unwrap()
        }
        _ => return None,
    })
}

fn pool(op: &str, c: &mut Case) -> Option<NodeId> {
    Some(match op {
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

/// The convolution that looks through this window.
fn over(window: Window) -> Conv2d {
    Conv2d { stride: window.stride, dilation: window.dilation, padding: window.padding }
}

impl Case {
    /// A random convolution in groups with the shapes of its image, filters, output.
    fn grouped(&mut self) -> (GroupedConv2d, [usize; 4], [usize; 4], [usize; 4]) {
        let (window, image, filter, output) = self.conv();
        let groups = self.size(1..=3);
        let conv = GroupedConv2d { groups, stride: window.stride, dilation: window.dilation, padding: window.padding };
        let more = |[a, b, c, d]: [usize; 4]| [a, b, c, d * groups];
        (conv, more(image), [filter[0] * groups, filter[1], filter[2], filter[3]], more(output))
    }

    /// A random picking of pixels, with the shapes of its image and result.
    fn nearest(&mut self) -> (ResizeNearest, [usize; 4], [usize; 4]) {
        let image = self.image();
        let mut places =
            |length: usize| -> Vec<u16> { (0..self.size(1..=7)).map(|_| self.size(0..=length - 1) as u16).collect() };
        let (rows, columns) = (places(image[1]), places(image[2]));
        let output = [image[0], rows.len(), columns.len(), image[3]];
        (ResizeNearest { rows, columns }, image, output)
    }

    /// A random interpolation, with the shapes of its image and result.
    fn bilinear(&mut self) -> (ResizeBilinear, [usize; 4], [usize; 4]) {
        let (image, size) = (self.image(), [self.size(1..=7), self.size(1..=7)]);
        let (aligned, half_pixel) = [(false, false), (true, false), (false, true)][self.size(0..=2)];
        (ResizeBilinear { size, aligned, half_pixel }, image, [image[0], size[0], size[1], image[3]])
    }
}

#[test]
fn biases_and_gradients_that_do_not_fit_are_refused() {
    let ([stride, dilation], padding) = ([[1, 1]; 2], Padding::default());
    let conv = Conv2d { stride, dilation, padding };
    let depthwise = DepthwiseConv2d { stride, dilation, padding };
    let grouped = GroupedConv2d { groups: 2, stride, dilation, padding };
    let transposed = TransposedConv2d { stride, dilation, padding, more: [0, 0] };
    let weighted: [(Op, Vec<usize>); 4] = [
        (conv.clone().into(), vec![3, 2, 2, 4]),
        (depthwise.clone().into(), vec![8, 2, 2]),
        (grouped.clone().into(), vec![6, 2, 2, 2]),
        (transposed.into(), vec![4, 2, 2, 3]),
    ];
    for (op, filters) in weighted {
        let mut c = Case::new(0);
        let inputs = [c.leaf([1, 4, 4, 4]), c.leaf(filters), c.leaf([5])];
        let error = c.graph.push(op.clone(), &inputs).unwrap_err();
        assert!(error.message.contains("bias 5"), "{op:?}: {error}");
    }
    let input: Shape = [1, 4, 4, 4].into();
    let back: [(Op, Vec<usize>); 3] = [
        (Conv2dInputGrad { conv, input: input.clone() }.into(), vec![3, 2, 2, 4]),
        (DepthwiseInputGrad { conv: depthwise, input: input.clone() }.into(), vec![8, 2, 2]),
        (GroupedInputGrad { conv: grouped, input }.into(), vec![6, 2, 2, 2]),
    ];
    for (op, filters) in back {
        let mut c = Case::new(0);
        let inputs = [c.leaf([1, 3, 3, 7]), c.leaf(filters)];
        let error = c.graph.push(op.clone(), &inputs).unwrap_err();
        assert!(error.message.contains("gradient 1x3x3x7"), "{op:?}: {error}");
    }
}
