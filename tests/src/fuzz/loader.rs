//! Blobs: what loads must run, on all kernels alike, in every weight layout, any number of times.

use std::mem::offset_of;

use ackermann_core::blob::format::{CRC, Header, MAGIC, Section, VERSION};
use ackermann_core::blob::{AlignedBytes, Element, Layout, Place, repack};
#[cfg(target_arch = "x86_64")]
use ackermann_core::ops::{Avx2, Vnni};
use ackermann_core::ops::{Dsp, Kernels, Mve, Portable, Reference, Selected};
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
    // Filler between weights that is not zeros, and int16 weights that are no int8, reach the results of some kernels. Without
    // them, in an order of weights that the bytes choose, all agree.
    all_kernels(model);
    let layout = Layout::ALL[CRC.checksum(blob) as usize % Layout::ALL.len()];
    if let Ok(clean) = repack(blob, layout) {
        let model = Model::load(&clean).expect("the writer writes what the loader takes");
        let clean = all_kernels(model);
        let runs: Vec<_> = clean[0].chunks(model.operators()).collect();
        assert_eq!(runs[0], runs[2], "a reset does not forget");
        let remembers = model.tensors().iter().any(|tensor| tensor.place() == Place::State);
        assert!(remembers || runs[0] == runs[1], "a session without state remembers");
        for (version, outputs) in clean.iter().enumerate() {
            let differs = (0..outputs.len()).find(|at| outputs[*at] != clean[0][*at]);
            assert!(
                differs.is_none(),
                "version {version} of the kernels, {layout:?} weights: output {differs:?} differs"
            );
        }
    }
}

/// The outputs of every version of the kernels that this machine runs or emulates.
fn all_kernels(model: Model<'_>) -> Vec<Vec<Vec<i8>>> {
    let everywhere = [run::<Reference>(model), run::<Portable>(model), run::<Dsp>(model), run::<Mve>(model)];
    let mut found = Vec::from(everywhere);
    found.push(run::<Selected>(model));
    #[cfg(target_arch = "x86_64")]
    found.extend([run::<Avx2>(model), run::<Vnni>(model)]);
    found
}

fn is_small(model: &Model<'_>) -> bool {
    model.steps().all(|step| {
        let read: usize = step.sides.inputs().map(|tensor| tensor.elements()).sum();
        read.saturating_mul(step.sides.output.elements()) < MAX_WORK
    })
}

/// The outputs of every operator: of a first run, a second one, and one after a reset.
fn run<K: Kernels>(model: Model<'_>) -> Vec<Vec<i8>> {
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    arena.fill(0x5a);
    let mut session = Session::new(model, &mut arena).expect("the arena the model asks for");
    let [first, second] = [once::<K>(&mut session), once::<K>(&mut session)];
    session.reset();
    [first, second, once::<K>(&mut session)].concat()
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
