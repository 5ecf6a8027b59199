//! Readers of pictures, sounds, texts and arrays, on data made here.

use std::path::Path;

use proptest::prelude::*;

use super::{jpeg, png, put};
use crate::data::labelled::{idx, wav};
use crate::data::{Changes, Content, Dataset, Encoding, Extras, Format, ReadOptions, Samples, Target, Watch, read};
use crate::{Error, ErrorKind, Result};

fn options(split: Option<&str>) -> ReadOptions {
    ReadOptions { split: split.map(String::from), picture: [4, 6, 3], ..ReadOptions::default() }
}

fn read_with(folder: &Path, options: &ReadOptions) -> Result<Dataset> {
    read(folder, Format::detect(folder)?, options, Watch::none())
}

fn read_split(folder: &Path, split: &str) -> Result<Dataset> {
    read_with(folder, &options(Some(split)))
}

/// Input and target of sample `index` as recorded.
fn sample(dataset: &Dataset, index: usize) -> (Vec<f32>, Vec<f32>) {
    let shape = dataset.input_shape();
    let mut input = vec![f32::NAN; shape.iter().product()];
    let mut target = vec![f32::NAN; dataset.target.values()];
    dataset.samples(&shape, Changes::NONE).unwrap().write(index, None, &mut input, &mut target);
    (input, target)
}

#[track_caller]
fn says(found: Result<Dataset>, kind: ErrorKind, words: &[&str]) {
    let error: Error = found.map(|dataset| dataset.len()).unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    words.iter().for_each(|word| assert!(error.to_string().contains(word), "`{word}` is not in: {error}"));
}

fn pixels(dataset: &Dataset) -> &[u8] {
    let Content::Pictures(pictures) = &dataset.content else { panic!("no pictures") };
    &pictures.pixels
}

#[test]
fn pictures_are_of_the_class_of_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (split, shift) in [("train", 0), ("val", 1)] {
        for (index, class) in ["stop", "give way", "10", "9"].iter().enumerate() {
            let grey = 40 + 20 * index as u8 + shift;
            put(folder.path(), &format!("{split}/{class}/a.png"), png(4, 6, png::ColorType::Grayscale, &[grey; 24]));
            put(folder.path(), &format!("{split}/{class}/b.JPG"), jpeg(8, 12, grey));
            put(folder.path(), &format!("{split}/{class}/notes.txt"), "no picture");
        }
    }
    let train = read_split(folder.path(), "train").unwrap();
    assert_eq!(train.encoding.classes.names(), ["10", "9", "give way", "stop"]);
    assert_eq!((train.target, train.input_shape()), (Target::Class(4), vec![4, 6, 3]));
    assert_eq!(train.targets, [0., 0., 1., 1., 2., 2., 3., 3.]);
    assert_eq!([pixels(&train)[0], pixels(&train)[4 * 72]], [80, 60]);
    let grey = ReadOptions { picture: [4, 6, 1], encoding: Some(train.encoding), ..options(Some("val")) };
    let val = read_with(folder.path(), &grey).unwrap();
    assert_eq!((val.len(), val.input_shape(), pixels(&val)[0]), (8, vec![4, 6, 1], 81));
    assert_eq!(sample(&val, 0), (vec![(81.0 - 128.0) / 128.0; 24], vec![0.0]));
    says(read_split(folder.path(), "test"), ErrorKind::MissingFile, &["`test`", "train, val"]);
    put(folder.path(), "val/yield/a.png", png(4, 6, png::ColorType::Grayscale, &[1; 24]));
    says(read_with(folder.path(), &grey), ErrorKind::BadRow, &["yield/a.png", "`yield`", "give way"]);
    put(folder.path(), "train/empty/readme.md", "");
    says(read_split(folder.path(), "train"), ErrorKind::BadFile, &["train/empty", "no pictures"]);
    let bare = ReadOptions { picture: [4, 6, 2], ..options(Some("val")) };
    says(read_with(folder.path(), &bare), ErrorKind::Shape, &["2 channels"]);
    put(folder.path(), "val/stop/a.png", "no picture");
    says(read_split(folder.path(), "val"), ErrorKind::BadImage, &["stop/a.png", "neither"]);
}

#[test]
fn folders_without_splits_are_dealt_out() {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..20 {
        let class = if index % 2 == 0 { "even" } else { "odd" };
        put(folder.path(), &format!("{class}/{index}.png"), png(4, 6, png::ColorType::Grayscale, &[index; 24]));
    }
    let [train, val] = ["train", "val"].map(|split| read_split(folder.path(), split).unwrap());
    assert_eq!((train.len(), val.len()), (16, 4));
    let all: Vec<u8> = [&train, &val].iter().flat_map(|part| pixels(part).chunks(72).map(|p| p[0])).collect();
    let mut sorted = all.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..20).collect::<Vec<u8>>());
    for (dataset, at) in [(&train, 0), (&val, 16)] {
        for index in 0..dataset.len() {
            assert_eq!(dataset.targets[index], f32::from(all[at + index] % 2));
        }
    }
    says(read_split(folder.path(), "test"), ErrorKind::MissingFile, &["`test`", "dealt"]);
}

fn idx_file(shape: &[u32], elements: &[u8]) -> Vec<u8> {
    let lengths = shape.iter().flat_map(|length| length.to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(lengths).chain(elements.iter().copied()).collect()
}

#[test]
fn idx_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let pictures: Vec<u8> = (0..3 * 20).collect();
    put(folder.path(), "train-images-idx3-ubyte", idx_file(&[3, 4, 5], &pictures));
    put(folder.path(), "train-labels-idx1-ubyte", idx_file(&[3], &[2, 0, 1]));
    put(folder.path(), "t10k-images.idx3-ubyte", idx_file(&[1, 4, 5], &pictures[..20]));
    put(folder.path(), "t10k-labels.idx1-ubyte", idx_file(&[1], &[3]));
    let train = read_split(folder.path(), "train").unwrap();
    assert_eq!((train.target, train.input_shape(), pixels(&train)), (Target::Class(3), vec![4, 5, 1], &pictures[..]));
    assert_eq!(train.targets, [2.0, 0.0, 1.0]);
    let known = ReadOptions { encoding: Some(train.encoding), ..options(Some("t10k")) };
    says(read_with(folder.path(), &known), ErrorKind::BadRow, &["label 0", "is 3", "0 to 2"]);
    says(read_split(folder.path(), "val"), ErrorKind::MissingFile, &["`val`", "t10k, train"]);
    let broken: [(&str, Vec<u8>, &str); 7] = [
        ("train-images-idx3-ubyte", idx_file(&[3, 4, 5], &pictures[..59]), "cut off"),
        ("train-images-idx3-ubyte", idx_file(&[3, 4, 4], &pictures), "12 bytes more"),
        ("train-images-idx3-ubyte", vec![0, 0, 8, 3, 0, 0], "within its dimensions"),
        ("train-images-idx3-ubyte", vec![0x1f, 0x8b, 8], "gunzip"),
        ("train-images-idx3-ubyte", idx_file(&[u32::MAX, u32::MAX, u32::MAX], &[]), "impossible"),
        ("train-images-idx3-ubyte", vec![0, 0, 0x0d, 1, 0, 0, 0, 0], "0x0d"),
        ("train-labels-idx1-ubyte", idx_file(&[2], &[0, 1]), "3 pictures"),
    ];
    for (name, bytes, word) in broken {
        let whole = std::fs::read(folder.path().join(name)).unwrap();
        put(folder.path(), name, bytes);
        says(read_split(folder.path(), "train"), ErrorKind::BadFile, &[name, word]);
        put(folder.path(), name, whole);
    }
    std::fs::remove_file(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    says(read_split(folder.path(), "train"), ErrorKind::MissingFile, &["train-images", "no labels"]);
}

/// A tone as a WAV file.
fn tone(rate: u32, hertz: f64, seconds: f64) -> Vec<u8> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut out = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
    for index in 0..(f64::from(rate) * seconds) as usize {
        let turn = std::f64::consts::TAU * hertz * index as f64 / f64::from(rate);
        writer.write_sample((10_000.0 * turn.sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
    out.into_inner()
}

/// Band with the most energy over the middle frames.
fn loudest_band(dataset: &Dataset, index: usize) -> usize {
    let (input, _) = sample(dataset, index);
    let [frames, bands] = dataset.input_shape()[..] else { panic!("no spectrogram") };
    assert!(input.iter().all(|value| (-1.0..=1.0).contains(value)) && input.contains(&1.0));
    let row = &input[frames / 2 * bands..][..bands];
    crate::data::metrics::argmax(row)
}

#[test]
fn sounds_are_read_from_folders_names_and_packed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (class, hertz) in [("low", 400.0), ("high", 2000.0)] {
        for index in 0..5 {
            put(path, &format!("folders/{class}/{index}.wav"), tone(8000, hertz, 0.5));
            put(path, &format!("names/{class}_{index}.wav"), tone(8000, hertz, 0.5));
        }
    }
    let [folders, names] = ["folders", "names"].map(|name| read_with(&path.join(name), &options(None)).unwrap());
    assert_eq!(folders.encoding.classes.names(), ["high", "low"]);
    assert_eq!((folders.targets.clone(), folders.input_shape()), (names.targets.clone(), vec![48, 32]));
    // 400 Hz is mel 509, 2000 Hz mel 1521; bands are 65 mel apart from mel 32 on.
    assert_eq!([loudest_band(&folders, 0), loudest_band(&folders, 9)], [22, 6]);
    assert_eq!(sample(&folders, 3), sample(&names, 3));
    let sound: Vec<u8> = tone(8000, 400.0, 0.5)[44..].to_vec();
    put(path, "packed/train.s16le", [&sound[..], &tone(8000, 2000.0, 0.5)[44..]].concat());
    put(path, "packed/train.csv", "digit,offset_samples,n_samples\n7,0,4000\n12,4000,4000\n");
    let packed = read_split(&path.join("packed"), "train").unwrap();
    assert_eq!(
        (packed.encoding.classes.names().to_vec(), packed.targets.clone()),
        (vec!["7".into(), "12".into()], vec![0., 1.])
    );
    assert_eq!([sample(&packed, 0).0, sample(&packed, 1).0], [sample(&folders, 9).0, sample(&folders, 0).0]);
    says(read_split(&path.join("packed"), "val"), ErrorKind::MissingFile, &["`val`", "train"]);
    for (rows, words) in [
        ("7,0,4000\n8,4001,4000", vec!["train.csv:3", "not complete"]),
        ("7,0,4000\n8,4000,0", vec!["train.csv:3", "`n_samples` is 0"]),
        ("7,0,4000\n8,-1,4000", vec!["train.csv:3", "`offset_samples`"]),
        ("7,0,4000\n8,18446744073709551615,2", vec!["train.csv:3", "not complete"]),
    ] {
        put(path, "packed/train.csv", format!("digit,offset_samples,n_samples\n{rows}\n"));
        says(read_split(&path.join("packed"), "train"), ErrorKind::BadRow, &words);
    }
    // A column that both splits have is the class of both.
    put(path, "packed/train.csv", "label,digit,offset_samples,n_samples\na,7,0,4000\nb,12,4000,4000\n");
    put(path, "packed/val.csv", "digit,offset_samples,n_samples\n7,0,4000\n");
    assert_eq!(read_split(&path.join("packed"), "train").unwrap().encoding.classes.names(), ["7", "12"]);
    put(path, "packed/val.csv", "digit,offset_samples,n_samples\n");
    says(read_split(&path.join("packed"), "val"), ErrorKind::BadFile, &["val.csv", "no rows"]);
    put(path, "packed/train.csv", "digit,offset_samples,n_samples\n7,0,4000\n7,4000,4000\n");
    says(read_split(&path.join("packed"), "train"), ErrorKind::BadFile, &["one class only"]);
}

#[test]
fn sounds_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for class in ["a", "b"] {
        (0..5).for_each(|index| put(path, &format!("{class}/{index}.wav"), tone(8000, 500.0, 0.1)));
    }
    let says = |kind, words: &[&str]| says(read_with(path, &options(None)), kind, words);
    put(path, "b/2.wav", tone(16000, 500.0, 0.1));
    says(ErrorKind::BadFile, &["b/2.wav", "16000", "a/0.wav", "8000"]);
    put(path, "b/2.wav", tone(8000, 500.0, 0.0));
    says(ErrorKind::BadFile, &["b/2.wav", "no sound"]);
    let whole = tone(8000, 500.0, 0.1);
    put(path, "b/2.wav", &whole[..whole.len() - 5]);
    says(ErrorKind::BadFile, &["b/2.wav", "not a readable WAV"]);
    put(path, "b/2.wav", "RIFF");
    says(ErrorKind::BadFile, &["b/2.wav", "not a readable WAV"]);
    std::fs::remove_dir_all(path.join("b")).unwrap();
    std::fs::create_dir(path.join("b")).unwrap();
    says(ErrorKind::BadFile, &["b", "no recordings"]);
}

#[test]
fn long_sounds_are_cut_to_their_loudest_part_and_short_ones_padded() {
    let folder = tempfile::tempdir().unwrap();
    let quiet: Vec<u8> = [7i16, -7].iter().flat_map(|s| s.to_le_bytes()).cycle().take(2 * 16_000).collect();
    put(folder.path(), "train.s16le", [&quiet[..], &tone(8000, 1000.0, 0.5)[44..], &quiet].concat());
    put(folder.path(), "train.csv", "label,offset_samples,n_samples\nlong,0,36000\nshort,16000,4000\n");
    let train = read_split(folder.path(), "train").unwrap();
    let (long, short) = (sample(&train, 0).0, sample(&train, 1).0);
    let silent = |spectrogram: &[f32]| spectrogram.chunks(32).filter(|row| row.iter().all(|&v| v == -1.0)).count();
    assert!(silent(&short) > 10 && loudest_band(&train, 0) == loudest_band(&train, 1), "{}", silent(&short));
    assert_eq!(long.len(), short.len());
}

#[test]
fn texts_are_numbered_by_the_training_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(path, "train.tsv", "\u{feff}A good film\tpos\r\na bad  film\tneg\n\nbad bad \u{130}t\tneg\n");
    put(path, "val.tsv", "Good good unseen words here\tpos\nbad\tneg\n");
    let train = read_split(path, "train").unwrap();
    assert_eq!((train.encoding.classes.names(), train.encoding.length), (&["neg".into(), "pos".into()][..], 3));
    // bad 3, a 2, film 2, good 1, i̇t 1.
    let Content::Texts(texts) = &train.content else { panic!("no texts") };
    assert_eq!((texts.vocabulary, texts.numbers.as_slice()), (7, &[3, 5, 4, 3, 2, 4, 2, 2, 6][..]));
    assert_eq!(sample(&train, 0), (vec![3.0, 5.0, 4.0], vec![1.0]));
    train.encoding.save(path).unwrap();
    let known = Encoding::of_run(path, 3).unwrap();
    assert_eq!(known, train.encoding);
    let val = read_with(path, &ReadOptions { encoding: Some(known), ..options(Some("val")) }).unwrap();
    let Content::Texts(texts) = &val.content else { panic!("no texts") };
    assert_eq!((texts.numbers.as_slice(), val.targets.as_slice()), (&[5, 5, 1, 2, 0, 0][..], &[1.0, 0.0][..]));
    let long = ReadOptions { length: Some(5), ..options(Some("train")) };
    assert_eq!(sample(&read_with(path, &long).unwrap(), 1).0, [3.0, 2.0, 4.0, 0.0, 0.0]);
    let stems =
        read_with(path, &ReadOptions { extras: Extras { stems: true, pairs: false }, ..options(Some("val")) }).unwrap();
    stems.encoding.save(&path.join("run")).unwrap();
    assert_eq!(Encoding::of_run(&path.join("run"), 6).unwrap(), stems.encoding);
    // Words of more than five letters: `unseen`. good 3, bad 4, here 5, unsee* 6, unseen 7, words 8 behind the mark at 2.
    assert_eq!(sample(&stems, 0).0, [3.0, 3.0, 7.0, 6.0, 8.0, 5.0]);
    put(path, "pairs.tsv", "not good\tneg\nso not good at all\tpos\n");
    let pairs = ReadOptions { extras: Extras { stems: false, pairs: true }, ..options(Some("pairs")) };
    let pairs = read_with(path, &pairs).unwrap();
    // good 3, not 4, `not good` 5, all 6, at 7, so 8; pairs that occur once are left out.
    assert_eq!(sample(&pairs, 0).0, [4.0, 5.0, 3.0, 0.0, 0.0, 0.0]);
    assert_eq!(sample(&pairs, 1).0, [8.0, 4.0, 5.0, 3.0, 7.0, 6.0]);
    pairs.encoding.save(&path.join("run")).unwrap();
    assert_eq!(Encoding::of_run(&path.join("run"), 6).unwrap(), pairs.encoding);
    for (text, words) in [
        (&b"good\tpos\nno tab here\n"[..], ["train.tsv:2", "no tab"]),
        (b"good\tpos\n\tneg\n", ["train.tsv:2", "no text"]),
        (b"good\tpos\nbad\t \n", ["train.tsv:2", "no class"]),
        (b"good\tpos\n\nb\xffd\tneg\n", ["train.tsv:3", "UTF-8"]),
    ] {
        put(path, "train.tsv", text);
        says(read_split(path, "train"), ErrorKind::BadRow, &words);
    }
    put(path, "train.tsv", "");
    says(read_split(path, "train"), ErrorKind::BadFile, &["train.tsv", "empty"]);
    says(read_split(path, "test"), ErrorKind::MissingFile, &["`test`", "train, val"]);
    put(path, "vocabulary.txt", "good\nbad\n");
    let error = Encoding::of_run(path, 3).unwrap_err();
    assert!(error.to_string().contains("no vocabulary"), "{error}");
}

#[test]
fn arrays_are_classes_or_numbers() {
    use crate::data::npy;
    use ndarray::{Array1, Array2, Array4, ArrayD, Ix1};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let x = Array2::from_shape_fn((10, 3), |(row, column)| row as f32 + column as f32 / 10.0);
    npy::write(&path.join("x.npy"), x.view().into_dyn()).unwrap();
    npy::write(&path.join("y.npy"), x.view().into_dyn()).unwrap();
    let [train, val] = ["train", "val"].map(|split| read_split(path, split).unwrap());
    assert_eq!((train.len(), val.len(), val.target, val.input_shape()), (8, 2, Target::Numbers(3), vec![3]));
    assert_eq!(sample(&val, 1).0, sample(&val, 1).1);
    let classes: ArrayD<i32> = Array1::from_iter((0..10).map(|row| row % 4)).into_dyn();
    npy::write(&path.join("y.npy"), classes.view()).unwrap();
    let all = read_with(path, &options(None)).unwrap();
    assert_eq!((all.target, all.targets[5], all.encoding.classes.len()), (Target::Class(4), 1.0, 4));
    let two = ReadOptions {
        encoding: Some(Encoding { classes: vec!["0".into(), "1".into()].into(), ..Encoding::default() }),
        ..options(None)
    };
    says(read_with(path, &two), ErrorKind::BadFile, &["y.npy", "row 2 is 2", "below 2"]);
    let mut broken = x.clone();
    broken[[7, 1]] = f32::NAN;
    npy::write(&path.join("x.npy"), broken.view().into_dyn()).unwrap();
    says(read_with(path, &options(None)), ErrorKind::NotFinite, &["x.npy", "sample 7, value 1", "NaN"]);
    npy::write(&path.join("x.npy"), x.slice(ndarray::s![..9, ..]).into_dyn()).unwrap();
    says(read_with(path, &options(None)), ErrorKind::BadFile, &["y.npy", "10 rows", "9"]);
    npy::write(
        &path.join("x.npy"),
        ArrayD::<f32>::zeros(vec![10]).into_dimensionality::<Ix1>().unwrap().view().into_dyn(),
    )
    .unwrap();
    says(read_with(path, &options(None)), ErrorKind::BadFile, &["x.npy", "[10]", "axis"]);
    std::fs::remove_file(path.join("y.npy")).unwrap();
    says(read_with(path, &options(None)), ErrorKind::MissingFile, &["y.npy"]);
    let pictures = Array4::from_shape_fn((4, 2, 2, 3), |(n, ..)| n as u8);
    npy::write(&path.join("b/train/x.npy"), pictures.view().into_dyn()).unwrap();
    npy::write(&path.join("b/train/y.npy"), Array1::from_vec(vec![0i32, 1, 0, 1]).view().into_dyn()).unwrap();
    let train = read_split(&path.join("b"), "train").unwrap();
    assert_eq!((train.noun(), sample(&train, 2).0), ("pictures", vec![-126.0 / 128.0; 12]));
    says(read_split(&path.join("b"), "val"), ErrorKind::MissingFile, &["`val`", "train"]);
}

/// Samples differ from epoch to epoch, the same generator gives the same sample, and classes stay.
#[test]
fn augmentation_is_seeded_and_keeps_the_class() {
    use rand::SeedableRng;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let picture: Vec<u8> = (0..144).map(|index| (index * 37 % 251) as u8).collect();
    put(path, "i/train-images-idx3-ubyte", idx_file(&[2, 12, 12], &picture.repeat(2)));
    put(path, "i/train-labels-idx1-ubyte", idx_file(&[2], &[0, 1]));
    put(path, "t/train.tsv", "a b c d e f g h i j k l m n o p\t0\na b c\t1\n");
    ["x", "y"].iter().for_each(|class| put(path, &format!("s/{class}/1.wav"), tone(8000, 700.0, 0.6)));
    for name in ["i", "t", "s"] {
        let split = if name == "s" { None } else { Some("train") };
        let data = read_with(&path.join(name), &options(split)).unwrap();
        let shape = data.input_shape();
        let written = |seed: u64, changes: Changes| {
            let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
            let (mut input, mut target) = (vec![f32::NAN; shape.iter().product()], [f32::NAN]);
            data.samples(&shape, changes).unwrap().write(0, Some(&mut rng), &mut input, &mut target);
            assert!(input.iter().all(|value| value.is_finite()) && target == [0.0], "{name}");
            input
        };
        let plain = sample(&data, 0).0;
        assert!(written(1, Changes::default()) == written(1, Changes::default()), "{name}");
        assert!(written(1, Changes::default()) != written(2, Changes::default()), "{name}");
        assert!(written(1, Changes::default()) != plain, "{name}");
        let near = written(1, Changes::NONE).iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near, "{name}: no change changes nothing");
    }
}

proptest! {
    #[test]
    fn any_bytes_as_an_idx_file(mut bytes in prop::collection::vec(any::<u8>(), 0..64), begin in any::<bool>()) {
        if begin && bytes.len() >= 4 {
            let dimensions = bytes[3] % 4;
            bytes[..4].copy_from_slice(&[0, 0, 8, dimensions]);
        }
        if let Ok((shape, elements)) = idx::parse(&bytes) {
            prop_assert_eq!(shape.iter().product::<usize>(), elements.len());
        }
    }

    #[test]
    fn an_idx_file_says_what_was_written(shape in prop::collection::vec(0u32..5, 1..4), seed in any::<u8>()) {
        let elements: Vec<u8> = (0..shape.iter().product::<u32>()).map(|index| seed.wrapping_add(index as u8)).collect();
        let (read_shape, read) = idx::parse(&idx_file(&shape, &elements)).unwrap();
        prop_assert_eq!(read_shape, shape.iter().map(|&length| length as usize).collect::<Vec<_>>());
        prop_assert_eq!(read, elements);
    }

    #[test]
    fn any_bytes_in_a_wav_file(at in 0usize..200, byte in any::<u8>(), cut in 0usize..300) {
        let mut bytes = tone(8000, 300.0, 0.02);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut % bytes.len());
        let mut samples = Vec::new();
        if let Ok(rate) = wav::decode(&bytes, &mut samples) {
            prop_assert!(wav::RATES.contains(&rate));
        }
    }

    #[test]
    fn any_table_of_packed_sounds(rows in prop::collection::vec((any::<u32>(), 0usize..40, 0usize..40), 0..6), bytes in 0usize..60) {
        let folder = tempfile::tempdir().unwrap();
        let mut table = String::from("label,offset_samples,n_samples\n");
        rows.iter().for_each(|(label, offset, count)| table += &format!("{label},{offset},{count}\n"));
        put(folder.path(), "train.csv", &table);
        put(folder.path(), "train.s16le", vec![1; bytes]);
        if let Ok(dataset) = read_split(folder.path(), "train") {
            prop_assert_eq!(dataset.len(), rows.len());
            (0..rows.len()).for_each(|index| drop(sample(&dataset, index)));
        }
    }
}
