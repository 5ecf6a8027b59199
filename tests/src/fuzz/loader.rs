//! Blobs: what loads must run, on all kernels alike, in every weight layout, any number of times.

use std::mem::offset_of;

use ackermann_core::blob::format::{CRC, Header, MAGIC, Section, VERSION};
use ackermann_core::blob::{AlignedBytes, Element, Layout, Place, repack};
use ackermann_core::ops::{Dsp, Kernels, Portable, Reference, Selected};
use ackermann_core::{Model, Session};

use crate::cases::Numbers;

/// Largest arena, and most work of one operator (elements read times elements written), that are tried.
const MAX_ARENA: usize = 1 << 18;
const MAX_WORK: usize = 1 << 19;

/// The bytes as they are, and repaired so that they pass the checks of the frame.
pub fn any(bytes: &[u8]) {
    let mut blob = AlignedBytes::copy_of(bytes);
    load_and_run(&blob);
    blob = AlignedBytes::copy_of(&[bytes, &[0; 15][..bytes.len().wrapping_neg() % 16]].concat());
    repair(&mut blob);
    load_and_run(&blob);
}

/// Makes header, places of the sections and checksum right; what the sections hold stays.
fn repair(blob: &mut [u8]) {
    let (length, header) = (blob.len(), size_of::<Header>());
    let Some(count) = word(blob, offset_of!(Header, sections)) else { return };
    blob[..4].copy_from_slice(&MAGIC);
    blob[4..8].copy_from_slice(&[VERSION as u8, 0, 0, 0]);
    put(blob, offset_of!(Header, total_bytes), length);
    let mut next = header + count.min(6) * size_of::<Section>();
    for section in 0..count.min(6) {
        let at = header + section * size_of::<Section>();
        put(blob, at + offset_of!(Section, offset), next);
        let Some(bytes) = word(blob, at + offset_of!(Section, bytes)) else { return };
        next = next.saturating_add(bytes.next_multiple_of(16));
    }
    let checksum = CRC.checksum(blob.get(16..).unwrap_or_default());
    put(blob, offset_of!(Header, crc32), checksum as usize);
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    bytes.get(at..)?.first_chunk::<4>().map(|word| u32::from_le_bytes(*word) as usize)
}

fn put(bytes: &mut [u8], at: usize, value: usize) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&(value as u32).to_le_bytes());
    }
}

fn load_and_run(blob: &[u8]) {
    let Ok(model) = Model::load(blob) else { return };
    let read = |name: Option<&str>| name.map_or(0, str::len);
    let names: usize = (0..model.tensors().len() as u16).map(|i| read(model.tensor_name(i))).sum();
    assert!(names + model.metadata().into_iter().count() <= 2 * blob.len());
    if model.arena_bytes() > MAX_ARENA || model.macs() > MAX_WORK as u64 || !is_small(&model) {
        return;
    }
    // Filler between weights that is not zeros reaches the results of some kernels, and only these; nothing else may.
    let clean = Layout::ALL.into_iter().filter_map(|layout| repack(blob, layout).ok());
    let clean: Vec<AlignedBytes> = clean.collect();
    let expected = clean.first().map(|blob| run::<Reference>(Model::load(blob).expect("what the writer writes")));
    for blob in &clean {
        let model = Model::load(blob).expect("what the writer writes");
        let found = [run::<Reference>(model), run::<Portable>(model), run::<Dsp>(model), run::<Selected>(model)];
        assert!(found.iter().all(|found| Some(found) == expected.as_ref()), "kernels differ");
    }
    if !clean.iter().any(|clean| **clean == *blob) {
        let _ = (run::<Reference>(model), run::<Portable>(model), run::<Dsp>(model), run::<Selected>(model));
    }
}

fn is_small(model: &Model<'_>) -> bool {
    model.steps().all(|step| {
        let read: usize = step.sides.inputs().map(|tensor| tensor.elements()).sum();
        read.saturating_mul(step.sides.output.elements()) < MAX_WORK
    })
}

/// The outputs of every operator: of a first run, of a second one if anything is remembered, and of one after a reset, which
/// must be as the first.
fn run<K: Kernels>(model: Model<'_>) -> Vec<Vec<i8>> {
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    arena.fill(0x5a);
    let mut session = Session::new(model, &mut arena).expect("the arena the model asks for");
    let first = once::<K>(&mut session);
    let second = once::<K>(&mut session);
    if model.tensors().iter().all(|tensor| tensor.place() != Place::State) {
        assert_eq!(first, second, "a session without state remembers");
    }
    session.reset();
    assert_eq!(once::<K>(&mut session), first, "a reset does not forget");
    [first, second].concat()
}

fn once<K: Kernels>(session: &mut Session<'_, '_>) -> Vec<Vec<i8>> {
    let mut numbers = Numbers(7);
    for (i, tensor) in (0..).map_while(|i| session.model().input(i).map(|tensor| (i, *tensor))).collect::<Vec<_>>() {
        let input = session.input_mut(i).expect("an input");
        match tensor.element() {
            // Indices: a few of those that exist, and some that do not.
            Element::Int32 => input.chunks_exact_mut(4).for_each(|index| {
                let value = numbers.between(-2, 9) as i32;
                index.iter_mut().zip(value.to_le_bytes()).for_each(|(to, from)| *to = from as i8);
            }),
            _ => input.copy_from_slice(&numbers.bytes(tensor.bytes())),
        }
    }
    let mut outputs = Vec::new();
    session.run_with::<K>(|_, output| outputs.push(output.to_vec()));
    outputs
}
