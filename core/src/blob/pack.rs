//! From a [`Network`] to bytes: records, scratch placement, sections.

use std::ops::Range;
use std::string::String;
use std::vec::Vec;

use super::format::{
    CRC, ConstantRef, FLAG_BOUNDED, FLAG_NARROW, Header, MAGIC, MAX_INPUTS, NO_TENSOR, OperatorRecord, Section,
    SectionKind, VERSION,
};
use super::weights::{self, Folded};
use super::write::{Network, OperatorKind, OperatorSpec, RecurrentSpec, Storage, TensorSpec, WriteError};
use super::{ALIGNMENT, Activation, AlignedBytes, Layout, Place, Target, Tensor, Window, encode, keys};
use crate::ops::recurrent::PARAMETERS;
use crate::ops::{gru, lstm};

/// Packs with the best layouts, and then, from the last operator backwards, with smaller ones until the target has room.
pub(super) fn pack(network: &Network, target: &Target) -> Result<AlignedBytes, WriteError> {
    let operators = network.operators.len();
    let mut layouts: Vec<_> = (0..operators).map(|index| weights::choose(network, index, target, false)).collect();
    let mut blob = pack_layouts(network, &layouts)?;
    for index in (0..operators).rev() {
        let smaller = weights::choose(network, index, target, true);
        if blob.len() <= target.bytes {
            break;
        }
        if layouts[index] != smaller {
            layouts[index] = smaller;
            blob = pack_layouts(network, &layouts)?;
        }
    }
    Ok(blob)
}

/// The blob with a layout for each operator.
fn pack_layouts(network: &Network, layouts: &[Layout]) -> Result<AlignedBytes, WriteError> {
    let mut constants = Vec::new();
    let mut records = Vec::new();
    let mut arena = network.tensors.iter().map(tensor_end).max().unwrap_or(0);
    for (index, (spec, layout)) in network.operators.iter().zip(layouts).enumerate() {
        let mut record = operator(network, index, *layout, &mut constants)?;
        let scratch = network.scratch_bytes(index, *layout).next_multiple_of(ALIGNMENT);
        if scratch > 0 {
            let offset = place_scratch(network, index, spec, scratch);
            arena = arena.max(offset + scratch);
            (record.scratch_offset, record.scratch_bytes) = (narrow(offset)?, narrow(scratch)?);
        }
        records.push(record);
    }
    let tensors = network.tensors.iter().map(|spec| tensor(spec, &mut constants)).collect::<Result<Vec<_>, _>>()?;
    let sections = [
        (SectionKind::Tensors, bytemuck::cast_slice(&tensors).to_vec()),
        (SectionKind::Operators, bytemuck::cast_slice(&records).to_vec()),
        (SectionKind::Endpoints, endpoints(network)?),
        (SectionKind::Constants, constants),
        (SectionKind::Metadata, metadata(network)?),
    ];
    assemble(&sections, narrow(arena.next_multiple_of(ALIGNMENT))?)
}

fn narrow(value: usize) -> Result<u32, WriteError> {
    u32::try_from(value).map_err(|_| WriteError::TooLarge)
}

/// Header, table, sections, checksum.
fn assemble(sections: &[(SectionKind, Vec<u8>)], arena_bytes: u32) -> Result<AlignedBytes, WriteError> {
    let mut bytes = vec![0u8; size_of::<Header>()];
    let mut offset = size_of::<Header>() + size_of::<Section>() * sections.len();
    for (kind, content) in sections {
        let entry = Section { kind: *kind as u32, offset: narrow(offset)?, bytes: narrow(content.len())?, reserved: 0 };
        bytes.extend_from_slice(bytemuck::bytes_of(&entry));
        offset = (offset + content.len()).next_multiple_of(ALIGNMENT);
    }
    for (_, content) in sections {
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
    let mut header = Header {
        magic: MAGIC,
        version: VERSION,
        flags: 0,
        total_bytes: narrow(bytes.len())?,
        crc32: 0,
        arena_bytes,
        sections: sections.len() as u32,
        reserved: [0; 2],
    };
    bytes[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    header.crc32 = CRC.checksum(&bytes[ALIGNMENT..]);
    bytes[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    Ok(AlignedBytes::copy_of(&bytes))
}

fn tensor_end(spec: &TensorSpec) -> usize {
    (spec.arena_offset as usize).saturating_add(spec.arena_bytes())
}

fn tensor(spec: &TensorSpec, constants: &mut Vec<u8>) -> Result<Tensor, WriteError> {
    let rank = u8::try_from(spec.shape.len()).ok().filter(|rank| *rank <= 4).ok_or(WriteError::TooLarge)?;
    let mut dimensions = [1; 4];
    dimensions[..spec.shape.len()].copy_from_slice(&spec.shape);
    let (place, offset) = match &spec.storage {
        Storage::Arena => (Place::Arena, spec.arena_offset),
        Storage::State => (Place::State, spec.arena_offset),
        Storage::Constant(bytes) => (Place::Constant, constant(constants, bytes)?.offset),
    };
    let (element, place) = (spec.element as u8, place as u8);
    let TensorSpec { scale, zero_point, .. } = *spec;
    Ok(Tensor { element, rank, place, reserved: 0, dimensions, scale, zero_point, offset })
}

fn endpoints(network: &Network) -> Result<Vec<u8>, WriteError> {
    let count = |list: &[u16]| u16::try_from(list.len()).map_err(|_| WriteError::TooLarge);
    let counts = [count(&network.inputs)?, count(&network.outputs)?];
    let words = counts.iter().chain(&network.inputs).chain(&network.outputs);
    Ok(words.flat_map(|word| word.to_le_bytes()).collect())
}

fn metadata(network: &Network) -> Result<Vec<u8>, WriteError> {
    let named = |prefix: &str, index: usize, name: &str| (format!("{prefix}{index}"), String::from(name));
    let tensors = network.tensors.iter().enumerate().map(|(i, t)| named(keys::TENSOR, i, &t.name));
    let operators = network.operators.iter().enumerate().map(|(i, o)| named(keys::OPERATOR, i, &o.name));
    let names = tensors.chain(operators).filter(|(_, name)| !name.is_empty());
    let mut bytes = Vec::new();
    for (key, value) in network.metadata.iter().cloned().chain(names) {
        for text in [&key, &value] {
            bytes.extend(u16::try_from(text.len()).map_err(|_| WriteError::TooLarge)?.to_le_bytes());
        }
        bytes.extend(key.as_bytes());
        bytes.extend(value.as_bytes());
    }
    Ok(bytes)
}

fn operator(
    network: &Network,
    index: usize,
    layout: Layout,
    constants: &mut Vec<u8>,
) -> Result<OperatorRecord, WriteError> {
    let spec = &network.operators[index];
    let mut record: OperatorRecord = bytemuck::Zeroable::zeroed();
    record.opcode = spec.kind.opcode() as u8;
    record.inputs = [NO_TENSOR; MAX_INPUTS];
    let inputs = record.inputs.get_mut(..spec.inputs.len()).ok_or(WriteError::Inconsistent { operator: index })?;
    inputs.copy_from_slice(&spec.inputs);
    record.outputs = [spec.output, NO_TENSOR];
    match &spec.kind {
        OperatorKind::Conv2d { window, weighted } => {
            window_parameters(&mut record, window, weighted.activation);
            let row = weighted_constants(network, index, layout, &mut record, constants)?;
            record.parameters[10] = 1;
            record.parameters[11] = (row / window.runs(layout)[1].max(1)) as i32;
        }
        OperatorKind::DepthwiseConv2d { window, multiplier, weighted } => {
            window_parameters(&mut record, window, weighted.activation);
            weighted_constants(network, index, layout, &mut record, constants)?;
            record.parameters[10] = i32::try_from(*multiplier).unwrap_or(-1);
        }
        OperatorKind::FullyConnected { weighted } => {
            let row = weighted_constants(network, index, layout, &mut record, constants)?;
            let Activation { min, max } = weighted.activation;
            record.parameters[..3].copy_from_slice(&[row as i32, i32::from(min), i32::from(max)]);
        }
        OperatorKind::MaxPool { window, activation } | OperatorKind::AveragePool { window, activation } => {
            window_parameters(&mut record, window, *activation);
        }
        OperatorKind::GeneralConv2d(general) => {
            let input = spec.inputs.first().and_then(|input| network.tensors.get(usize::from(*input)));
            let zero_point = input.ok_or(WriteError::Inconsistent { operator: index })?.zero_point;
            general.pack(index, zero_point, &mut record, constants)?;
        }
        OperatorKind::LayerNorm(norm) => norm.pack(&mut record, constants)?,
        OperatorKind::Lut { table } => record.constants[0] = constant(constants, bytemuck::cast_slice(table))?,
        OperatorKind::ResizeNearest { table } => {
            record.constants[0] = constant(constants, bytemuck::cast_slice(table))?;
        }
        OperatorKind::Lstm { gates, .. } => {
            recurrent(network, index, gates, lstm::GATES, layout, &mut record, constants)?
        }
        OperatorKind::Gru { gates, .. } => {
            recurrent(network, index, gates, gru::GATES, layout, &mut record, constants)?
        }
        OperatorKind::Rnn { gates, .. } => recurrent(network, index, gates, 1, layout, &mut record, constants)?,
        numbers => {
            for (parameter, number) in record.parameters.iter_mut().zip(encode::parameters(numbers)) {
                *parameter = number;
            }
        }
    }
    Ok(record)
}

/// Everything of a recurrent operator.
fn recurrent(
    network: &Network,
    index: usize,
    gates: &RecurrentSpec,
    count: usize,
    layout: Layout,
    record: &mut OperatorRecord,
    constants: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let spec = &network.operators[index];
    let zero_point = |at: usize| {
        let tensor = spec.inputs.get(at).and_then(|input| network.tensors.get(usize::from(*input)));
        tensor.map(|tensor| tensor.zero_point).ok_or(WriteError::Inconsistent { operator: index })
    };
    let packed = gates.pack(count, index, [zero_point(0)?, zero_point(1)?], layout, record)?;
    for (reference, bytes) in record.constants.iter_mut().zip(&packed) {
        *reference = constant(constants, bytes)?;
    }
    if let OperatorKind::Lstm { cell, .. } = &spec.kind {
        record.rounding = cell.rounding as u8;
    }
    for (parameter, number) in record.parameters.iter_mut().skip(PARAMETERS).zip(encode::parameters(&spec.kind)) {
        *parameter = number;
    }
    Ok(())
}

pub(super) fn window_parameters(record: &mut OperatorRecord, window: &Window, activation: Activation) {
    let pairs = [window.kernel, window.stride, window.dilation, window.padding];
    for (parameter, value) in record.parameters.iter_mut().zip(pairs.as_flattened()) {
        *parameter = i32::try_from(*value).unwrap_or(-1);
    }
    record.parameters[8] = i32::from(activation.min);
    record.parameters[9] = i32::from(activation.max);
}

/// Appends a constant at the next multiple of 16.
pub(super) fn constant(constants: &mut Vec<u8>, bytes: &[u8]) -> Result<ConstantRef, WriteError> {
    constants.resize(constants.len().next_multiple_of(ALIGNMENT), 0);
    let offset = narrow(constants.len())?;
    constants.extend_from_slice(bytes);
    Ok(ConstantRef { offset, bytes: narrow(bytes.len())? })
}

/// Folds and orders the constants of an operator with weights; returns the length of a kernel row.
fn weighted_constants(
    network: &Network,
    operator: usize,
    layout: Layout,
    record: &mut OperatorRecord,
    constants: &mut Vec<u8>,
) -> Result<usize, WriteError> {
    let kind = &network.operators[operator].kind;
    let Some((spec, rows)) = kind.weighted(layout) else { return Err(WriteError::Inconsistent { operator }) };
    let Folded { channels, bounded } = weights::fold(network, operator, spec, rows)?;
    let narrow = !spec.weights.contains(&i8::MIN);
    record.flags = if bounded { FLAG_BOUNDED } else { 0 } | if narrow { FLAG_NARROW } else { 0 };
    record.layout = layout as u8;
    record.rounding = spec.rounding as u8;
    record.constants[0] = constant(constants, bytemuck::cast_slice(&weights::ordered(kind, layout)))?;
    let order = if let OperatorKind::DepthwiseConv2d { .. } = kind { Layout::Natural } else { layout };
    let channels: Vec<_> = channels.into_iter().map(|channel| order.stored(channel)).collect();
    record.constants[1] = constant(constants, bytemuck::cast_slice(&channels))?;
    Ok(spec.weights.len() / spec.bias.len() / rows)
}

/// The lowest free place for the scratch of one operator, beside all tensors that are live while it runs.
fn place_scratch(network: &Network, operator: usize, spec: &OperatorSpec, bytes: usize) -> usize {
    let mut live: Vec<Range<usize>> = Vec::new();
    for (index, tensor) in network.tensors.iter().enumerate() {
        let index = index as u16;
        let reads = |o: &OperatorSpec| o.inputs.contains(&index);
        let writes = |o: &OperatorSpec| o.output == index;
        let born = if network.inputs.contains(&index) { Some(0) } else { network.operators.iter().position(writes) };
        let last = network.operators.iter().rposition(reads);
        let read = if network.outputs.contains(&index) { Some(usize::MAX) } else { last };
        let used = reads(spec) || writes(spec) || tensor.storage == Storage::State;
        let lives = born.is_some_and(|b| b <= operator) && read.is_some_and(|r| r >= operator);
        if (used || lives) && tensor.arena_bytes() > 0 {
            live.push(tensor.arena_offset as usize..tensor_end(tensor).next_multiple_of(ALIGNMENT));
        }
    }
    live.sort_by_key(|range| range.start);
    let mut place = 0;
    for range in live {
        if range.start >= place && range.start - place >= bytes {
            break;
        }
        place = place.max(range.end);
    }
    place
}
