//! Where the tensors of a quantized network live, and the blob that follows.

use ackermann_core::blob::write::{Network, Storage, WriteError};
use ackermann_core::blob::{AlignedBytes, Layout};

use super::plan::{Request, plan};
use crate::{Error, ErrorKind, Result};

/// Plans the arena of `network` and writes the blob, weights in natural order. The plan leaves room for the scratch of every
/// layout, so that the blob can be packed for another machine without growing.
///
/// # Errors
/// What the writer or the loader refuses, with the operator's or tensor's number.
pub fn assemble(network: &mut Network) -> Result<AlignedBytes> {
    place_tensors(network);
    network.to_bytes(Layout::Natural).map_err(|error| refused(network, error))
}

/// The most bytes that `network`, with weights in `layout`, has in use at one moment: no arena can be smaller.
pub fn arena_lower_bound(network: &Network, layout: Layout) -> usize {
    plan(&requests(network, &[layout]).0).lower_bound
}

fn place_tensors(network: &mut Network) {
    let layouts: Vec<_> = Layout::ALL.into_iter().filter(|layout| layout.is_for_boards()).collect();
    let (requests, groups) = requests(network, &layouts);
    let plan = plan(&requests);
    for (tensor, group) in network.tensors.iter_mut().zip(groups) {
        tensor.arena_offset =
            plan.offsets.get(group).and_then(|offset| u32::try_from(*offset).ok()).unwrap_or(u32::MAX);
    }
}

/// One request per group of tensors that share their bytes, then one per operator's scratch; and each tensor's group.
///
/// Moment 0 is before the first operator, moment i + 1 is operator i. Scratch is what the neediest of `layouts` wants.
fn requests(network: &Network, layouts: &[Layout]) -> (Vec<Request>, Vec<usize>) {
    let end = network.operators.len() + 1;
    let mut lives: Vec<Request> = network.tensors.iter().map(|t| life(t.arena_bytes())).collect();
    for (moment, operator) in (1..).zip(&network.operators) {
        if let Some(output) = lives.get_mut(usize::from(operator.output)) {
            *output = Request { first: moment, last: moment, ..*output };
        }
        for input in &operator.inputs {
            if let Some(input) = lives.get_mut(usize::from(*input)) {
                input.last = moment;
            }
        }
    }
    for output in &network.outputs {
        if let Some(output) = lives.get_mut(usize::from(*output)) {
            output.last = end;
        }
    }
    for (state, _) in network.tensors.iter().enumerate().filter(|(_, t)| t.storage == Storage::State) {
        lives[state].last = end;
    }
    let groups = share_in_place(network, &mut lives);
    for (index, _) in network.operators.iter().enumerate() {
        let scratch = layouts.iter().map(|layout| network.scratch_bytes(index, *layout));
        lives.push(Request { bytes: scratch.max().unwrap_or(0), first: index + 1, last: index + 1 });
    }
    (lives, groups)
}

fn life(bytes: usize) -> Request {
    Request { bytes, first: 0, last: 0 }
}

/// An operator that may work in place on a tensor that nothing reads later does so: both sides become one request.
fn share_in_place(network: &Network, lives: &mut [Request]) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..lives.len()).collect();
    for (index, operator) in network.operators.iter().enumerate() {
        let (output, moment) = (usize::from(operator.output), index + 1);
        let Some(&written) = lives.get(output) else { continue };
        for (at, input) in operator.inputs.iter().enumerate() {
            let Some(&group) = groups.get(usize::from(*input)) else { continue };
            let once = operator.inputs.iter().filter(|other| *other == input).count() == 1;
            let room = lives[group].bytes >= written.bytes && lives[group].last == moment;
            if network.in_place(index, at) && once && room && group != output {
                lives[group].last = written.last;
                lives[output].bytes = 0;
                groups[output] = group;
                break;
            }
        }
    }
    groups
}

fn refused(network: &Network, error: WriteError) -> Error {
    let place = match error {
        WriteError::Inconsistent { operator } | WriteError::BiasOverflow { operator } => {
            network.operators.get(operator).map_or(String::new(), |o| o.name.clone())
        }
        _ => String::new(),
    };
    Error::new(ErrorKind::BadBlob, place, format!("cannot be written as a blob: {error}"))
}

#[cfg(test)]
mod tests {
    use ackermann_core::Model;
    use ackermann_core::blob::write::{OperatorKind, OperatorSpec, TensorSpec};
    use ackermann_core::blob::{Activation, Window};

    use super::*;

    fn tensor(shape: &[u32]) -> TensorSpec {
        TensorSpec { shape: shape.to_vec(), scale: 0.1, ..TensorSpec::default() }
    }

    fn operator(input: u16, output: u16, kind: OperatorKind) -> OperatorSpec {
        OperatorSpec { inputs: vec![input], output, kind, name: String::new() }
    }

    #[test]
    fn reshapes_cost_nothing_and_the_loader_agrees() {
        let window = Window { kernel: [2, 2], stride: [2, 2], dilation: [1, 1], padding: [0, 0] };
        let mut network = Network {
            tensors: vec![tensor(&[1, 8, 8, 2]), tensor(&[1, 4, 4, 2]), tensor(&[1, 32]), tensor(&[1, 2, 16])],
            operators: vec![
                operator(0, 1, OperatorKind::MaxPool { window, activation: Activation::NONE }),
                operator(1, 2, OperatorKind::Reshape),
                operator(2, 3, OperatorKind::Reshape),
            ],
            inputs: vec![0],
            outputs: vec![3],
            ..Network::default()
        };
        let blob = assemble(&mut network).unwrap();
        let model = Model::load(&blob).unwrap();
        assert_eq!(model.arena_bytes(), 128 + 32);
        assert_eq!(arena_lower_bound(&network, Layout::Natural), 128 + 32);
        assert_eq!(network.tensors[1].arena_offset, network.tensors[3].arena_offset);
    }
}
