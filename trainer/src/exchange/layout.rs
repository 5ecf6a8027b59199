//! PyTorch's tensors as views of ours.
//!
//! PyTorch keeps filters OIHW and flattens pictures channel by channel, so a tensor of its `state_dict` is one of ours with its dimensions
//! in another order: a strided view. The same views serve reading and writing.

use crate::graph::Shape;
use crate::nn::{Built, Layer, Mode, Network, named, path};
use crate::ops::loops::strides;
use crate::{Error, ErrorKind, Result};

/// A tensor of a `state_dict`.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// Its name there.
    pub name: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    /// Where its elements are. `None` for the count of batches that batch norm keeps and that nothing here needs.
    pub part: Option<Part>,
}

/// A strided view of one of our parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The parameter.
    pub param: String,
    /// Place of the first element.
    pub offset: usize,
    /// Lengths, outermost first.
    pub dims: Vec<usize>,
    /// Distance of the elements in each.
    pub strides: Vec<usize>,
}

impl Part {
    /// Places of the elements in the parameter, in the view's order.
    pub fn places(&self) -> impl Iterator<Item = usize> + '_ {
        let count: usize = self.dims.iter().product();
        (0..count).map(|mut at| {
            let sides = self.dims.iter().zip(&self.strides).rev();
            sides.fold(self.offset, |place, (dim, stride)| {
                let index = at % dim;
                at /= dim;
                place + index * stride
            })
        })
    }
}

/// Height, width and channels of pictures that were flattened, one or several behind one another: PyTorch has their numbers channel by channel.
type Flattened = Option<[usize; 3]>;

/// The `state_dict` of the same network in PyTorch, in the order of the layers.
///
/// # Errors
/// A layer that PyTorch has not; flattened pictures that are reshaped, or added to or concatenated with something else: orders differ there.
pub fn foreign(network: &Network) -> Result<Vec<Foreign>> {
    tensors(network, false)
}

/// [`foreign`] for an ONNX file, which brings flattened pictures into our order before they are reshaped.
pub fn foreign_in_onnx(network: &Network) -> Result<Vec<Foreign>> {
    tensors(network, true)
}

fn tensors(network: &Network, reshapes_flattened: bool) -> Result<Vec<Foreign>> {
    let built = network.build(1, Mode::Eval)?;
    let mut walk = Walk { built, reshapes_flattened, found: Vec::new() };
    walk.layers("", &network.layers, None)?;
    Ok(walk.found)
}

struct Walk {
    built: Built,
    /// Whether flattened pictures are reshaped in our order.
    reshapes_flattened: bool,
    found: Vec<Foreign>,
}

impl Walk {
    fn layers(&mut self, path: &str, layers: &[Layer], mut order: Flattened) -> Result<Flattened> {
        for (name, layer) in named(path, layers) {
            order = self.layer(&name, layer, order)?;
        }
        Ok(order)
    }

    /// The tensors of a layer whose input has this order; the order of its output.
    fn layer(&mut self, name: &str, layer: &Layer, order: Flattened) -> Result<Flattened> {
        match layer {
            Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. } | Layer::ConvTranspose2d { .. } => {
                let part = self.filters(&format!("{name}.weight"))?;
                self.add(format!("{name}.weight"), part.dims.clone(), part);
                self.same_if_there(name, "bias")?;
            }
            Layer::Dense { .. } => {
                self.ordered(name, "weight", order)?;
                self.same_if_there(name, "bias")?;
                return Ok(None);
            }
            Layer::BatchNorm | Layer::LayerNorm => {
                for leaf in ["weight", "bias", "running_mean", "running_var"] {
                    if self.has(name, leaf) {
                        self.ordered(name, leaf, order)?;
                    }
                }
                if *layer == Layer::BatchNorm {
                    self.found.push(Foreign { name: format!("{name}.num_batches_tracked"), shape: vec![], part: None });
                }
            }
            Layer::Flatten => return self.flattened(name, order),
            Layer::Reshape { shape } => return self.reshaped(name, shape, order),
            Layer::Embedding { .. } => self.same_if_there(name, "weight")?,
            Layer::Lstm { peephole: true, .. } => {
                return Err(Error::new(
                    ErrorKind::Shape,
                    name,
                    "has peepholes, which PyTorch's LSTM has not and ONNX export does not write",
                ));
            }
            Layer::Lstm { .. } | Layer::Gru { .. } | Layer::Rnn { .. } => self.recurrent(name, order)?,
            Layer::Attention { .. } => {
                self.ordered(name, "in_proj_weight", order)?;
                for leaf in ["in_proj_bias", "out_proj.weight", "out_proj.bias"] {
                    self.same_if_there(name, leaf)?;
                }
                return Ok(None);
            }
            Layer::TimeDistributed { layers } => return self.layers(name, layers, order),
            Layer::Residual { .. } | Layer::Branches { .. } => return self.beside(name, layer, order),
            _ => {}
        }
        // What has no order of its own passes it on; recurrent layers have used it up.
        let is_recurrent = matches!(layer, Layer::Lstm { .. } | Layer::Gru { .. } | Layer::Rnn { .. });
        Ok(if is_recurrent { None } else { order })
    }

    /// Layers beside each other must agree on the order.
    fn beside(&mut self, name: &str, layer: &Layer, order: Flattened) -> Result<Flattened> {
        let mut ends = Vec::new();
        for (part, layers) in layer.inner() {
            ends.push(self.layers(&path(name, &part), layers, order)?);
        }
        let concatenates = matches!(layer, Layer::Branches { .. });
        match ends.first().copied().flatten() {
            None if ends.iter().all(Option::is_none) => Ok(None),
            first if ends.iter().all(|end| *end == first) && !concatenates => Ok(first),
            _ => joined(name),
        }
    }

    /// The order of what a layer flattens: that of pictures, unless it is the same in PyTorch, else that which its input has already.
    fn flattened(&self, name: &str, order: Flattened) -> Result<Flattened> {
        let input = self.built.sides.get(name).map(|[input, _]| self.built.graph.shape(*input));
        match (input.map(|shape| shape.dims()), order) {
            (Some(&[_, .., h, w, c]), None) if c > 1 && h * w > 1 => Ok(Some([h, w, c])),
            (Some(&[_, .., h, w, c]), Some(_)) if c > 1 && h * w > 1 => joined(name),
            (_, order) => Ok(order),
        }
    }

    /// Flattened pictures can only become the pictures again that they were.
    fn reshaped(&self, name: &str, shape: &[usize], order: Flattened) -> Result<Flattened> {
        match order {
            Some(picture) if !self.reshapes_flattened && !shape.ends_with(&picture) => {
                let message =
                    "reshapes flattened pictures; PyTorch orders them differently, leave the Flatten before it out";
                Err(Error::new(ErrorKind::Shape, name, message))
            }
            _ => Ok(None),
        }
    }

    fn shape(&self, param: &str) -> Result<&Shape> {
        let node = self.built.roles.iter().map(|(id, _)| self.built.graph.node(*id)).find(|node| node.name == param);
        node.map(|node| &node.shape)
            .ok_or_else(|| Error::new(ErrorKind::Internal, param, "is no parameter of the graph"))
    }

    fn has(&self, name: &str, leaf: &str) -> bool {
        self.shape(&format!("{name}.{leaf}")).is_ok()
    }

    fn add(&mut self, name: String, shape: Vec<usize>, part: Part) {
        self.found.push(Foreign { name, shape, part: Some(part) });
    }

    /// A parameter as it is.
    fn whole(&self, param: &str) -> Result<Part> {
        let dims = self.shape(param)?.to_vec();
        Ok(Part { param: param.into(), offset: 0, strides: strides(&dims), dims })
    }

    fn same_if_there(&mut self, name: &str, leaf: &str) -> Result<()> {
        if self.has(name, leaf) {
            let part = self.whole(&format!("{name}.{leaf}"))?;
            self.add(format!("{name}.{leaf}"), part.dims.clone(), part);
        }
        Ok(())
    }

    /// OIHW of OHWI; filters of one channel, OHW, become OIHW too.
    fn filters(&self, param: &str) -> Result<Part> {
        let Part { param, offset, dims, strides } = self.whole(param)?;
        let order = |list: &[usize]| match *list {
            [o, h, w, i] => vec![o, i, h, w],
            _ => list.to_vec(),
        };
        let (mut dims, mut strides) = (order(&dims), order(&strides));
        if dims.len() == 3 {
            dims.insert(1, 1);
            strides.insert(1, 1);
        }
        Ok(Part { param, offset, dims, strides })
    }

    /// A matrix or vector whose last dimension goes over a flattened picture's numbers.
    fn ordered(&mut self, name: &str, leaf: &str, order: Flattened) -> Result<()> {
        let mut part = self.whole(&format!("{name}.{leaf}"))?;
        let shape = part.dims.clone();
        part.flattened(order);
        self.add(format!("{name}.{leaf}"), shape, part);
        Ok(())
    }

    /// Both matrices and both biases of each direction. Gates have PyTorch's order here too.
    fn recurrent(&mut self, name: &str, order: Flattened) -> Result<()> {
        for suffix in ["", "_reverse"] {
            if !self.has(name, &format!("bias_l0{suffix}")) {
                continue;
            }
            self.ordered(name, &format!("weight_ih_l0{suffix}"), order)?;
            self.same_if_there(name, &format!("weight_hh_l0{suffix}"))?;
            let both = self.whole(&format!("{name}.bias_l0{suffix}"))?;
            let rows = both.dims[0] / 2;
            for (at, leaf) in ["bias_ih_l0", "bias_hh_l0"].into_iter().enumerate() {
                let half = Part { offset: at * rows, dims: vec![rows], ..both.clone() };
                self.add(format!("{name}.{leaf}{suffix}"), vec![rows], half);
            }
        }
        Ok(())
    }
}

impl Part {
    /// The last dimension, contiguous, picture by picture and channel by channel.
    fn flattened(&mut self, order: Flattened) {
        let length = self.dims.last().copied().unwrap_or(0);
        if let Some([h, w, c]) = order.filter(|[h, w, c]| length.is_multiple_of(h * w * c)) {
            self.dims.pop();
            self.strides.pop();
            self.dims.extend([length / (h * w * c), c, h, w]);
            self.strides.extend([h * w * c, 1, w * c, c]);
        }
    }
}

fn joined<T>(name: &str) -> Result<T> {
    let message = "joins flattened pictures with something else; PyTorch orders them differently, put a dense layer behind Flatten";
    Err(Error::new(ErrorKind::Shape, name, message))
}
