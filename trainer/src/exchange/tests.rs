//! Against networks made with PyTorch (`tests/pytorch`), and against our own reader of ONNX.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{load, onnx, save};
use crate::ErrorKind;
use crate::graph::{Executor, Params};
use crate::import::{Imported, read_onnx};
use crate::nn::{InputKind, Layer, Mode, Network, by_name, names};

/// The networks that `tests/pytorch/make.py` makes.
const MADE: [&str; 5] = ["mlp", "cnn", "lstm", "attention", "cnn_lstm"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/pytorch")
}

fn made(name: &str) -> (Network, PathBuf) {
    let network = by_name(folder().join(format!("{name}.json")).to_str().unwrap()).unwrap();
    (network, folder().join(format!("{name}.safetensors")))
}

fn outputs(network: &Network, params: &Params, inputs: &[f32]) -> Vec<f32> {
    let each: usize = network.input.iter().product();
    let built = network.build(inputs.len() / each, Mode::Eval).unwrap();
    let mut executor = Executor::new(&built.graph, &[built.output]);
    executor.input_mut(built.input).copy_from_slice(inputs);
    executor.run(params).unwrap();
    executor.value(built.output).to_vec()
}

/// Numbers between -1 and 1, or words.
fn numbers(network: &Network, seed: usize) -> Vec<f32> {
    let count = network.input.iter().product();
    let number = |at: usize| (at * 7919 + seed * 104_729) % 1999;
    match network.kind {
        InputKind::Tokens { vocabulary } => (0..count).map(|at| (number(at) % vocabulary) as f32).collect(),
        _ => (0..count).map(|at| number(at) as f32 / 999.5 - 1.0).collect(),
    }
}

/// Drawn parameters with running statistics and biases as training leaves them.
fn trained(network: &Network) -> Params {
    let mut params = network.init(3).unwrap();
    for param in params.entries_mut() {
        let shift = match param.name.rsplit('.').next().unwrap() {
            "running_var" => 0.7,
            leaf if leaf.contains("bias") || leaf == "running_mean" => 0.1,
            _ => continue,
        };
        param.data.iter_mut().enumerate().for_each(|(at, value)| *value += shift * (at % 5) as f32 / 4.0);
    }
    params
}

fn nearest(found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), String> {
    assert_eq!(found.len(), expected.len());
    let far = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0f32, f32::max);
    if far <= tolerance { Ok(()) } else { Err(format!("off by {far}: {found:?}, not {expected:?}")) }
}

#[test]
fn state_dicts_of_pytorch_answer_as_pytorch_did() {
    for name in MADE {
        let (network, path) = made(name);
        let params = load(&path, &network).unwrap();
        let bytes = std::fs::read(folder().join(format!("{name}.answers.safetensors"))).unwrap();
        let answers = SafeTensors::deserialize(&bytes).unwrap();
        let values = |key: &str| -> Vec<f32> {
            let data = answers.tensor(key).unwrap().data();
            data.chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
        };
        nearest(&outputs(&network, &params, &values("input")), &values("output"), 1e-5)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn saved_state_dicts_are_those_that_pytorch_saves() {
    for name in MADE {
        let (network, path) = made(name);
        let params = load(&path, &network).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("own.safetensors");
        save(&own, &network, &params).unwrap();
        let (theirs, own) = (std::fs::read(path).unwrap(), std::fs::read(own).unwrap());
        let (theirs, own) = (SafeTensors::deserialize(&theirs).unwrap(), SafeTensors::deserialize(&own).unwrap());
        // The numbers of nn.Sequential are names that nothing here has.
        let renamed = |name: &str| match name.split_once('.') {
            Some(("0", leaf)) => format!("fc1.{leaf}"),
            Some(("2", leaf)) => format!("fc2.{leaf}"),
            Some(("4", leaf)) => format!("fc3.{leaf}"),
            _ => name.to_string(),
        };
        assert_eq!(theirs.len(), own.len(), "{name}");
        for (key, tensor) in theirs.iter() {
            let ours = own.tensor(&renamed(key)).unwrap_or_else(|e| panic!("{name}, {key}: {e}"));
            assert_eq!((ours.dtype(), ours.shape()), (tensor.dtype(), tensor.shape()), "{name}, {key}");
            assert!(ours.data() == tensor.data(), "{name}, {key}");
        }
    }
}

#[test]
fn every_network_survives_the_way_through_pytorch_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let has_state_dict = |network: &Network| !["flattened", "averaged over time"].contains(&network.name.as_str());
    for network in names().into_iter().map(|name| by_name(name).unwrap()).chain(rare()).filter(has_state_dict) {
        let params = trained(&network);
        save(&path, &network, &params).unwrap();
        assert!(load(&path, &network).unwrap() == params, "{}", network.name);
    }
}

#[test]
fn flattened_pictures_in_another_shape_have_no_state_dict() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let network = |size: [usize; 3], shape: &[usize]| {
        let reshape = Layer::Reshape { shape: shape.to_vec() };
        Network::of_numbers("n", size, vec![Layer::Flatten, reshape, Layer::dense(3)])
    };
    for (size, shape) in [([2, 4, 3], &[6, 4][..]), ([2, 4, 3], &[4, 2, 3])] {
        let network = network(size, shape);
        let error = save(&path, &network, &network.init(0).unwrap()).unwrap_err();
        assert!(error.kind == ErrorKind::Shape && error.place == "reshape1", "{error}");
        onnx::write(&network, &network.init(0).unwrap()).unwrap();
    }
    // One channel, one pixel, and what was flattened restored are the same in PyTorch.
    for (size, shape) in [([2, 4, 1], &[2, 4][..]), ([1, 1, 8], &[2, 4]), ([2, 4, 3], &[2, 4, 3])] {
        let network = network(size, shape);
        save(&path, &network, &network.init(0).unwrap()).unwrap();
    }
}

#[test]
fn values_that_no_network_has_are_refused() {
    let network = Network::of_numbers("n", [2], vec![Layer::BatchNorm]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let written = |name: &str, value: f64| {
        let leaves = ["weight", "bias", "running_mean", "running_var"].map(|leaf| format!("bn1.{leaf}"));
        let bytes =
            leaves.each_ref().map(|leaf| [0.0, if leaf == name { value } else { 0.5 }].map(f64::to_le_bytes).concat());
        let views = leaves.iter().zip(&bytes);
        let views = views.map(|(leaf, bytes)| (leaf.as_str(), TensorView::new(Dtype::F64, vec![2], bytes).unwrap()));
        std::fs::write(&path, serialize(views, None).unwrap()).unwrap();
        load(&path, &network)
    };
    written("bn1.running_mean", -1.0).unwrap();
    for (name, value, word) in [
        ("bn1.weight", f64::NAN, "NaN"),
        ("bn1.bias", f64::NEG_INFINITY, "-inf"),
        ("bn1.running_mean", 1e300, "inf"),
        ("bn1.running_var", -0.25, "-0.25"),
    ] {
        let error = written(name, value).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadFile);
        assert!(error.message.contains(&format!("`{name}`")) && error.message.contains(word), "{error}");
    }
}

#[test]
fn the_first_tensor_that_does_not_fit_is_named() {
    let (mlp, numbered) = made("mlp");
    let (cnn, named) = made("cnn");
    let wider = Network { layers: [&mlp.layers[..2], &[Layer::dense(17)], &mlp.layers[3..]].concat(), ..mlp.clone() };
    let deeper = cnn.with_outputs(4).unwrap();
    let short = Network { layers: mlp.layers[..4].to_vec(), ..mlp };
    for (path, network, words) in [
        (&numbered, &wider, &["2.weight", "fc2.weight", "17x16", "16x16"][..]),
        (&numbered, &short, &["3 modules", "2"]),
        (&named, &deeper, &["fc2.weight", "4x10", "3x10"]),
        (&named, &short, &["fc1.weight", "16x2", "10x120"]),
    ] {
        let error = load(path, network).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Shape);
        let text = error.to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{text} lacks one of {words:?}");
    }
}

/// A file with these tensors, all zeros.
fn zeros(path: &Path, tensors: &[(&str, &[usize])]) {
    let bytes = [0; 4096];
    let view = |shape: &[usize]| {
        TensorView::new(Dtype::F32, shape.to_vec(), &bytes[..4 * shape.iter().product::<usize>()]).unwrap()
    };
    let views: Vec<_> = tensors.iter().map(|(name, shape)| (*name, view(shape))).collect();
    std::fs::write(path, serialize(views, None).unwrap()).unwrap();
}

#[test]
fn groups_of_modules_run_in_the_order_that_fits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let dense = |outputs| Layer::dense(outputs).without_bias();
    let network = Network::of_numbers("n", [3], vec![dense(5), Layer::Relu, dense(4), Layer::Relu, dense(2)]);
    let tensors =
        [("features.0.weight", &[5, 3][..]), ("features.10.weight", &[4, 5]), ("classifier.1.weight", &[2, 4])];
    zeros(&path, &tensors);
    load(&path, &network).unwrap();
    let error = load(&path, &network.with_outputs(3).unwrap()).unwrap_err().to_string();
    assert!(error.contains("classifier.1.weight") && error.contains("3x4"), "{error}");
    // Numbers of blocks say it.
    let same = Network::of_numbers("n", [3], vec![dense(3), Layer::Relu, dense(3)]);
    zeros(&path, &[("block10.0.weight", &[3, 3]), ("block9.0.weight", &[3, 3])]);
    load(&path, &same).unwrap();
    // Nobody can know which of two groups runs first when both could.
    zeros(&path, &[("encoder.0.weight", &[3, 3]), ("decoder.0.weight", &[3, 3])]);
    let error = load(&path, &same).unwrap_err().to_string();
    assert!(error.contains("both `decoder.0` and `encoder.0` could be `fc1`"), "{error}");
}

#[test]
fn modules_with_names_are_in_no_known_order_at_any_depth() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let dense = |outputs| Layer::dense(outputs).without_bias();
    let network = |sizes: &[usize]| {
        let layers = sizes[1..].iter().map(|size| dense(*size)).collect();
        Network::of_numbers("n", [sizes[0]], layers)
    };
    let error = |tensors: &[(&str, &[usize])], sizes: &[usize]| {
        zeros(&path, tensors);
        load(&path, &network(sizes)).unwrap_err().to_string()
    };
    let four = &[4, 4][..];
    let blocks = [("0.down.weight", four), ("0.up.weight", four), ("1.down.weight", four), ("1.up.weight", four)];
    let text = error(&blocks, &[4; 5]);
    assert!(text.contains("both `1.down` and `1.up` could be `fc3`") && text.contains("rename"), "{text}");
    // Where the shapes say it they are found; blocks are not torn apart.
    let up_down = [
        ("0.down.weight", &[3, 5][..]),
        ("0.up.weight", &[5, 3]),
        ("1.down.weight", &[3, 5]),
        ("1.up.weight", &[5, 3]),
    ];
    zeros(&path, &up_down);
    load(&path, &network(&[3, 5, 3, 5, 3])).unwrap();
    // Many groups.
    let many: Vec<String> = ('a'..'k').map(|letter| format!("{letter}.0.weight")).collect();
    let many: Vec<(&str, &[usize])> = many.iter().map(|name| (name.as_str(), four)).collect();
    assert!(error(&many, &[4; 11]).contains("could be `fc9`"));
    // So many orders, none of which fits, that not all are tried.
    let wrong = [&many[..], &[("x.0.weight", &[4, 9][..]), ("y.0.weight", &[9, 5])]].concat();
    assert!(error(&wrong, &[4; 13]).contains("too many orders"));
    for prefix in ["", "module."] {
        let name = |name: &str| format!("{prefix}{name}");
        let names = ["features.0.weight", "features.1.weight", "classifier.0.weight", "fc1.weight"].map(name);
        zeros(&path, &[(&names[0], &[5, 3]), (&names[1], &[4, 5]), (&names[2], &[2, 4])]);
        load(&path, &network(&[3, 5, 4, 2])).unwrap();
        zeros(&path, &[(&names[3], &[5, 3])]);
        load(&path, &network(&[3, 5])).unwrap();
        assert!(error(&[(&names[3], &[5, 3])], &[3, 4]).contains(&names[3]));
    }
}

#[test]
fn the_tensor_that_does_not_fit_is_named_in_groups_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let network = Network::of_numbers("n", [3], [5, 4, 2].map(Layer::dense).to_vec());
    let right: [(&str, &[usize]); 6] = [
        ("classifier.0.bias", &[2]),
        ("classifier.0.weight", &[2, 4]),
        ("features.0.bias", &[5]),
        ("features.0.weight", &[5, 3]),
        ("features.1.bias", &[4]),
        ("features.1.weight", &[4, 5]),
    ];
    let error = |tensors: &[(&str, &[usize])]| {
        zeros(&path, tensors);
        load(&path, &network).unwrap_err().to_string()
    };
    for at in 0..6 {
        let (name, shape) = right[at];
        let mut wrong = right;
        let shape = [shape, &[7]].concat();
        wrong[at].1 = &shape;
        let text = error(&wrong);
        assert!(text.contains(name), "{name}: {text}");
        let missing = [&right[..at], &right[at + 1..]].concat();
        let (module, leaf) = name.rsplit_once('.').unwrap();
        let text = error(&missing);
        assert!(text.contains(module) && text.contains(&format!("`{leaf}`")), "{name}: {text}");
    }
    for extra in ["features.0.extra", "classifier.0.extra", "features.2.weight", "zoo.0.weight", "art.0.weight"] {
        let text = error(&[&right[..], &[(extra, &[9, 9])]].concat());
        assert!(text.contains(extra), "{extra}: {text}");
    }
    for (at, own) in [(0, "fc3"), (2, "fc1"), (4, "fc2")] {
        let text = error(&[&right[..at], &right[at + 2..]].concat());
        assert!(text.contains(own), "{own}: {text}");
    }
}

/// The file's network read back: its outputs for an input in our order.
fn read_back(network: &Network, bytes: &[u8], inputs: &[f32]) -> Vec<f32> {
    let Imported::Float(float) = read_onnx(bytes).unwrap() else { panic!("{} is not float", network.name) };
    let mut executor = Executor::<f32>::new(&float.graph, &float.outputs);
    let given = executor.input_mut(float.inputs[0]);
    assert_eq!(given.len() % inputs.len(), 0, "{}", network.name);
    given.chunks_mut(inputs.len()).for_each(|sample| sample.copy_from_slice(inputs));
    executor.run(&float.params).unwrap();
    let found = executor.value(float.outputs[0]);
    let batch = float.graph.shape(float.inputs[0])[0];
    found[..found.len() / batch].to_vec()
}

/// Layers that no other network of these tests has.
fn rare() -> Vec<Network> {
    let pictures = vec![
        Layer::conv2d(4, 3, 1).padded(1).grouped(2),
        Layer::Relu6,
        Layer::LayerNorm,
        Layer::avg_pool(2),
        Layer::Silu,
        Layer::dense(5),
        Layer::Softmax,
        Layer::Reshape { shape: vec![3, 15] },
        Layer::BatchNorm,
        Layer::dense(4),
        Layer::Elu,
        Layer::Flatten,
        Layer::dense(2),
        Layer::Atan { scale: 0.6 },
    ];
    let flattened = vec![
        Layer::Flatten,
        Layer::Sigmoid,
        Layer::Reshape { shape: vec![6, 4] },
        Layer::gru(3).in_both_directions().last_state(),
        Layer::Repeat { times: 9 },
        Layer::rnn(4).last_state(),
    ];
    let spread = vec![
        Layer::Reshape { shape: vec![2, 3, 4] },
        Layer::Branches {
            branches: vec![vec![], vec![Layer::depthwise_conv2d(2, 1), Layer::conv_transpose2d(3, 2, 1)]],
        },
        Layer::HardSwish,
        Layer::GlobalAvgPool,
    ];
    let padded = vec![
        Layer::conv2d(4, 1, 1).padded(1),
        Layer::Relu,
        Layer::conv2d(4, 2, 2).padded(3).grouped(2),
        Layer::Tanh,
        Layer::depthwise_conv2d(1, 1).padded(1),
    ];
    let flat = || vec![Layer::conv2d(3, 2, 1), Layer::Relu, Layer::Flatten];
    let repeated = [flat(), vec![Layer::Repeat { times: 3 }, Layer::lstm(4), Layer::Flatten]].concat();
    let over_time = |each: Vec<Layer>, rest: &[Layer]| {
        let reshape = Layer::Reshape { shape: vec![3, 4, 5, 2] };
        [&[reshape, Layer::time_distributed(each)], rest].concat()
    };
    let vectors = |rest: &[Layer]| over_time(flat(), rest);
    let averaged = [Layer::LayerNorm, Layer::Mean, Layer::Reshape { shape: vec![6, 6] }, Layer::dense(2)];
    let again = [Layer::time_distributed([Layer::Tanh, Layer::dense(4)]), Layer::Flatten];
    let rows = Layer::time_distributed([Layer::lstm(4), Layer::dense(2)]);
    vec![
        Network::of_pixels("repeated", [4, 5, 2], repeated),
        Network::of_numbers("recurrent over time", [120], vectors(&[Layer::lstm(4).last_state()])),
        Network::of_numbers("averaged over time", [120], vectors(&averaged)),
        Network::of_numbers("flattened over time", [120], vectors(&[Layer::Flatten, Layer::Flatten, Layer::dense(3)])),
        Network::of_numbers("twice over time", [120], vectors(&again)),
        Network::of_numbers(
            "pictures over time",
            [120],
            over_time(vec![Layer::conv2d(3, 2, 1)], &[Layer::Flatten, Layer::dense(3)]),
        ),
        Network::of_numbers("sequences over time", [3, 4, 2], vec![rows, Layer::Flatten, Layer::dense(3)]),
        Network::of_pixels("pictures", [6, 6, 4], pictures),
        Network::of_pixels("padded", [4, 5, 2], padded),
        Network::of_numbers("flattened", [2, 4, 3], flattened),
        Network::of_numbers("spread", [24], spread),
    ]
}

#[test]
fn other_float_types_are_read_and_other_kinds_refused() {
    let network = Network::of_numbers("n", [2], vec![Layer::dense(2).without_bias()]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("w.safetensors");
    let values = [0.5f32, -2.0, 1.5, 0.25];
    let written = |dtype: Dtype, bytes: Vec<u8>| {
        let view = TensorView::new(dtype, vec![2, 2], &bytes).unwrap();
        std::fs::write(&path, serialize([("fc1.weight", view)], None).unwrap()).unwrap();
        load(&path, &network)
    };
    for (dtype, bytes) in [
        (Dtype::F64, values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect()),
        (Dtype::F16, values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect()),
        (Dtype::BF16, values.iter().flat_map(|v| half::bf16::from_f32(*v).to_le_bytes()).collect()),
    ] {
        assert_eq!(written(dtype, bytes).unwrap().get("fc1.weight").unwrap().data, values, "{dtype:?}");
    }
    let error = written(Dtype::I32, vec![0; 16]).unwrap_err();
    assert!(error.kind == ErrorKind::BadFile && error.to_string().contains("`fc1.weight` is I32"), "{error}");
}

#[test]
fn a_head_may_be_of_another_size() {
    let (cnn, path) = made("cnn");
    let whole = load(&path, &cnn).unwrap();
    let other = cnn.with_outputs(7).unwrap();
    let params = super::load_all_but(&path, &other, Some("fc2")).unwrap();
    for param in whole.entries().iter().filter(|param| !param.name.starts_with("fc2")) {
        assert!(params.get(&param.name).unwrap().data == param.data, "{}", param.name);
    }
    let (mlp, path) = made("mlp");
    super::load_all_but(&path, &mlp.with_outputs(7).unwrap(), Some("fc3")).unwrap();
}

#[test]
fn peepholes_stay_here() {
    let layer = Layer::Lstm { units: 2, bidirectional: false, peephole: true, sequence: true };
    let network = Network::of_numbers("n", [3, 2], vec![layer]);
    let error = onnx::write(&network, &network.init(0).unwrap()).unwrap_err();
    assert!(error.place.starts_with("lstm1") && error.message.contains("peepholes"), "{error}");
}

#[test]
fn onnx_files_answer_as_the_network_does() {
    let zoo = names().into_iter().map(|name| by_name(name).unwrap()).map(|network| (trained(&network), network));
    let made = MADE.iter().map(|name| made(name)).map(|(network, path)| (load(&path, &network).unwrap(), network));
    let rare = rare().into_iter().map(|network| (trained(&network), network));
    // The reader takes pictures, not sequences of them.
    let readable = |(_, network): &(Params, Network)| network.input.len() < 4;
    for (params, network) in zoo.chain(made).chain(rare).filter(readable) {
        let inputs = numbers(&network, 5);
        let bytes = onnx::write(&network, &params).unwrap();
        let expected = outputs(&network, &params, &inputs);
        let found = read_back(&network, &bytes, &inputs);
        let scale = expected.iter().fold(1f32, |most, value| most.max(value.abs()));
        nearest(&found, &expected, 1e-5 * scale).unwrap_or_else(|error| panic!("{}: {error}", network.name));
    }
}
