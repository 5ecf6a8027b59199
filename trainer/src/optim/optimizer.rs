//! A rule applied to some parameters, with what it remembers of them.

use super::Clip;
use super::method::{Method, Step};
use crate::graph::Params;
use crate::{Error, ErrorKind, Result};

/// An optimizer of some of the parameters; several may share one [`Params`].
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    method: Method,
    weight_decay: f64,
    clip: Clip,
    /// Places of the parameters in the store.
    places: Vec<usize>,
    /// Per parameter what the method remembers, slot by slot.
    state: Vec<Vec<Vec<f32>>>,
    steps: u64,
}

impl Optimizer {
    /// An optimizer of the parameters `names` of `params`. Weight decay pulls each towards zero, as the method says.
    /// Errors: a name that is not there, or given twice.
    pub fn new<'a>(
        method: Method,
        weight_decay: f64,
        params: &Params,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let mut places = Vec::new();
        for name in names {
            let wrong = |message| Error::new(ErrorKind::Shape, name, message);
            let place = params.position(name);
            let place = place.ok_or_else(|| wrong("the optimizer is given a parameter that is not there"))?;
            if places.contains(&place) {
                return Err(wrong("the optimizer is given this parameter twice"));
            }
            places.push(place);
        }
        let zeros = |&at: &usize| vec![vec![0.0; params.entries()[at].data.len()]; method.slots().len()];
        let state = places.iter().map(zeros).collect();
        Ok(Self { method, weight_decay, clip: Clip::default(), places, state, steps: 0 })
    }

    /// This optimizer with bounds on its gradients.
    pub fn clipped(self, clip: Clip) -> Self {
        Self { clip, ..self }
    }

    /// Updates the parameters: `gradient(i)` is that of the i-th name given to [`Optimizer::new`], `rate` the learning rate.
    pub fn step<'g>(&mut self, params: &mut Params, gradient: impl Fn(usize) -> &'g [f32], rate: f64) {
        self.steps += 1;
        let scale = self.clip.scale((0..self.places.len()).map(&gradient));
        let step = Step { limit: self.clip.limit(), scale, rate, decay: self.weight_decay, t: self.steps };
        for (at, (&place, state)) in self.places.iter().zip(&mut self.state).enumerate() {
            self.method.update(&mut params.entries_mut()[place].data, gradient(at), state, step);
        }
    }

    /// The state, tensor by tensor: slot of the method, name of the parameter, values.
    pub fn state<'a>(&'a self, params: &'a Params) -> impl Iterator<Item = (&'static str, &'a str, &'a [f32])> {
        let of_slot = move |(slot, kind): (usize, &'static str)| {
            let name = |place: usize| params.entries()[place].name.as_str();
            self.places.iter().zip(&self.state).map(move |(&place, state)| (kind, name(place), state[slot].as_slice()))
        };
        self.method.slots().into_iter().enumerate().flat_map(of_slot)
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Puts back a saved state: `values(slot, name)` gives the tensor saved from [`Optimizer::state`].
    pub fn restore(
        &mut self,
        params: &Params,
        steps: u64,
        values: impl Fn(&str, &str) -> Result<Vec<f32>>,
    ) -> Result<()> {
        self.steps = steps;
        for (&place, state) in self.places.iter().zip(&mut self.state) {
            let name = &params.entries()[place].name;
            for (kind, slot) in self.method.slots().into_iter().zip(state) {
                let saved = values(kind, name)?;
                if saved.len() != slot.len() {
                    let message = format!("saved optimizer state has {} values, {} wanted", saved.len(), slot.len());
                    return Err(Error::new(ErrorKind::Shape, name, message));
                }
                *slot = saved;
            }
        }
        Ok(())
    }
}
