//! Data to train on: an error, or samples that can be written and read again.

use std::fs;
use std::path::Path;

use ackermann_trainer::data::{Changes, Dataset, Encoding, Extras, Format, ReadOptions, Samples, Watch, read};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Layouts of two files, by their numbers.
const LAYOUTS: [(Format, [&str; 2]); 5] = [
    (Format::Idx, ["images-idx3-ubyte", "labels-idx1-ubyte"]),
    (Format::Wav, ["a/1.wav", "b/1.wav"]),
    (Format::Texts, ["train.tsv", "val.tsv"]),
    (Format::Arrays, ["x.npy", "y.npy"]),
    (Format::PackedSounds, ["train.csv", "train.s16le"]),
];
/// Samples that are written.
const WRITTEN: usize = 2;

/// Two files in a folder: the first byte is the number of the layout, the next two are the length of the first file.
pub fn any(bytes: &[u8]) {
    let [layout, low, high, rest @ ..] = bytes else { return };
    let (format, names) = LAYOUTS[usize::from(*layout) % LAYOUTS.len()];
    let (first, second) = rest.split_at(usize::from(u16::from_le_bytes([*low, *high])).min(rest.len()));
    let folder = tempfile::tempdir().expect("a folder");
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    for (name, bytes) in names.iter().zip([first, second]) {
        let path = data.join(name);
        path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, bytes)).expect("a file");
    }
    let options = ReadOptions { extras: Extras { stems: true, pairs: true }, ..ReadOptions::default() };
    if let Ok(dataset) = read_all(&data, format, &options) {
        write(&dataset);
        dataset.encoding.save(&run).expect("files of a run");
        let encoding = Encoding::of_run(&run, dataset.encoding.length).expect("what was saved");
        let known = ReadOptions { encoding: Some(encoding), ..options };
        let again = read_all(&data, format, &known).expect("data with the numbers that it gave itself");
        assert_eq!((again.targets, again.encoding), (dataset.targets, dataset.encoding));
    }
}

fn read_all(folder: &Path, format: Format, options: &ReadOptions) -> ackermann_trainer::Result<Dataset> {
    read(folder, format, options, Watch::none())
}

/// Writes samples as recorded and as they are changed in training.
fn write(dataset: &Dataset) {
    let shape = dataset.input_shape();
    let samples = dataset.samples(&shape, Changes::default()).expect("its own shape");
    let mut input = vec![f32::NAN; shape.iter().product()];
    let mut target = vec![f32::NAN; dataset.target.values()];
    for index in 0..samples.len().min(WRITTEN) {
        for mut rng in [None, Some(ChaCha8Rng::seed_from_u64(index as u64))] {
            samples.write(index, rng.as_mut(), &mut input, &mut target);
            assert!(input.iter().chain(&target).all(|value| value.is_finite()), "sample {index} is not all numbers");
        }
    }
}
