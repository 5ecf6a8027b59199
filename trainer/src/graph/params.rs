//! Parameters by name: what is trained, saved and quantized, shared by every graph made from one network.

use std::collections::HashMap;

use super::{Real, Shape};
use crate::{Error, ErrorKind, Result};

/// One parameter tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Param<T = f32> {
    /// Its name, as PyTorch would say it: `conv1.weight`, `fc2.bias`, `bn1.running_mean`.
    pub name: String,
    /// Convolution filters are OHWI, dense weights `outputs x inputs`.
    pub shape: Shape,
    /// Row-major values.
    pub data: Vec<T>,
    /// Whether an optimizer may change it; running statistics are not trainable.
    pub trainable: bool,
}

/// Parameters in a fixed order, found by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params<T = f32> {
    entries: Vec<Param<T>>,
    index: HashMap<String, usize>,
}

impl<T: Real> Params<T> {
    /// No parameters.
    pub fn new() -> Self {
        Self { entries: Vec::new(), index: HashMap::new() }
    }

    /// Adds a parameter. Errors when the name is taken or `data` does not fill the shape.
    pub fn insert(&mut self, param: Param<T>) -> Result<usize> {
        if param.data.len() != param.shape.elements() {
            let message = format!("{} values do not fill shape {}", param.data.len(), param.shape);
            return Err(Error::new(ErrorKind::Shape, &param.name, message));
        }
        let at = self.entries.len();
        if self.index.insert(param.name.clone(), at).is_some() {
            return Err(Error::new(ErrorKind::Shape, &param.name, "two parameters have this name; give each its own"));
        }
        self.entries.push(param);
        Ok(at)
    }

    /// The parameter of this name.
    pub fn get(&self, name: &str) -> Option<&Param<T>> {
        self.position(name).map(|at| &self.entries[at])
    }

    /// The parameter of this name, to change its values.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Param<T>> {
        self.position(name).map(|at| &mut self.entries[at])
    }

    /// Place of the parameter of this name in [`Params::entries`].
    pub fn position(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// All parameters in the order they were added.
    pub fn entries(&self) -> &[Param<T>] {
        &self.entries
    }

    /// All parameters, to change their values.
    pub fn entries_mut(&mut self) -> &mut [Param<T>] {
        &mut self.entries
    }
}
