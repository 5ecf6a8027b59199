//! A network for other data than it was drawn up for: input, words and number of outputs are those of the data.

use super::{InputKind, Layer, Network};
use crate::{Error, ErrorKind, Result};

impl Network {
    /// This network for inputs of shape `input` and of `kind`, with `outputs` outputs: its last dense layer and its embedding are made to fit.
    ///
    /// Dimensions are added or left out where that is all that differs: a spectrogram `[time, bands]` becomes a picture of one channel, a grey
    /// picture a sequence of rows, anything the vector that a network of vectors takes. Rows and vectors of pixels are numbers.
    ///
    /// # Errors
    /// Words for a network of numbers or the other way round; a layer that does not fit the shape; another number of outputs without a dense
    /// layer that could have them.
    pub fn adapted(&self, input: &[usize], kind: InputKind, outputs: usize) -> Result<Self> {
        let words = |kind| matches!(kind, InputKind::Tokens { .. });
        if words(self.kind) != words(kind) {
            let message = format!("takes {}, the data holds {}; choose another network", self.kind.name(), kind.name());
            return Err(Error::new(ErrorKind::Shape, &self.name, message));
        }
        let input = shape_for(&self.input, input);
        let kind = if kind == InputKind::Pixels && input.len() < 3 { InputKind::Numbers } else { kind };
        let mut adapted = Self { kind, input, ..self.clone() };
        if let InputKind::Tokens { vocabulary: wanted } = kind
            && let Some(Layer::Embedding { vocabulary, .. }) = adapted.layers.first_mut()
        {
            *vocabulary = wanted;
        }
        if adapted.outputs()? != outputs {
            adapted = adapted.with_outputs(outputs)?;
        }
        match adapted.outputs()? {
            found if found == outputs => Ok(adapted),
            found => {
                let message = format!("has {found} outputs, the data needs {outputs}; end it with a dense layer");
                Err(Error::new(ErrorKind::Shape, &self.name, message))
            }
        }
    }
}

/// `input` as a network takes it whose own input is of shape `own`.
pub(crate) fn shape_for(own: &[usize], input: &[usize]) -> Vec<usize> {
    match (own.len(), input) {
        (3, &[time, features]) => vec![time, features, 1],
        (2, &[time, features, 1]) => vec![time, features],
        (1, several) if several.len() > 1 => vec![several.iter().product()],
        _ => input.to_vec(),
    }
}
