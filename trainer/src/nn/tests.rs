use super::*;

fn totals(name: &str) -> (usize, usize) {
    let summary = by_name(name).unwrap().summary().unwrap();
    (summary.iter().map(|l| l.parameters).sum(), summary.iter().map(|l| l.macs).sum())
}

#[test]
fn pilotnet_is_dave_2() {
    assert_eq!(totals("pilotnet"), (252_219, 26_876_342));
}

#[test]
fn micro_keeps_its_budget() {
    let (parameters, macs) = totals("micro");
    assert!(parameters <= 100_000 && macs <= 5_000_000, "{parameters} parameters, {macs} MACs");
}

#[test]
fn benchmarks_have_the_work_that_they_are_known_for() {
    for (name, macs) in [("ds-cnn", 2_656_768), ("resnet8", 12_501_632)] {
        assert_eq!(totals(name).1, macs, "{name}");
    }
}

#[test]
fn every_named_network_is_built_and_described_by_its_file() {
    for name in names() {
        let network = by_name(name).unwrap();
        assert_eq!(network.name, name);
        network.check_size().unwrap();
        for mode in [Mode::Eval, Mode::Train { seed: 1 }] {
            let built = network.build(2, mode).unwrap();
            assert_eq!(built.graph.shape(built.output)[0], 2, "{name}");
        }
        let params = network.init(1).unwrap();
        network.check(&params).unwrap();
        let (dir, text) = (tempfile::tempdir().unwrap(), serde_json::to_string(&network).unwrap());
        let path = dir.path().join("network.json");
        std::fs::write(&path, text).unwrap();
        assert_eq!(by_name(path.to_str().unwrap()).unwrap(), network);
    }
}

#[test]
fn nested_layers_have_dotted_names() {
    let inner = [Layer::conv2d(4, 3, 1).padded(1), Layer::BatchNorm];
    let branches = Layer::Branches { branches: vec![inner.to_vec(), vec![]] };
    let attention = Layer::Attention { heads: 2 };
    let recurrent = Layer::gru(3).in_both_directions();
    let each = Layer::time_distributed([Layer::residual(inner), branches, Layer::GlobalAvgPool]);
    let network = Network {
        kind: InputKind::Numbers,
        ..Network::of_numbers("n", [5, 6, 6, 4], vec![each, attention, recurrent])
    };
    let params = network.init(1).unwrap();
    let names: Vec<&str> = params.entries().iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names[..2], ["time1.residual1.main.conv1.weight", "time1.residual1.main.conv1.bias"]);
    assert_eq!(names[6..8], ["time1.branches1.0.conv1.weight", "time1.branches1.0.conv1.bias"]);
    assert_eq!(names[12..14], ["attention1.in_proj_weight", "attention1.in_proj_bias"]);
    assert_eq!(names[names.len() - 1], "gru1.bias_l0_reverse");
    let built = network.build(2, Mode::Eval).unwrap();
    assert_eq!(built.graph.shape(built.output).dims(), [2, 5, 6]);
}

#[test]
fn networks_saved_before_layers_had_options_still_load() {
    let text = r#"{"name": "old", "input": [8, 8, 3], "layers": [
        {"conv2d": {"filters": 4, "kernel": [3, 3], "stride": [1, 1], "padding": {"top": 0, "bottom": 0, "left": 0, "right": 0}}},
        "relu", {"max_pool": {"kernel": [2, 2], "stride": [2, 2]}}, "flatten", {"dense": {"outputs": 1}}]}"#;
    let layers = vec![Layer::conv2d(4, 3, 1), Layer::Relu, Layer::max_pool(2), Layer::Flatten, Layer::dense(1)];
    assert_eq!(serde_json::from_str::<Network>(text).unwrap(), Network::of_pixels("old", [8, 8, 3], layers));
}

#[test]
fn keys_that_a_network_has_not_are_refused_by_name() {
    let network = |input: &str, layer: &str| {
        serde_json::from_str::<Network>(&format!(r#"{{"name": "n", "input": {input}, "layers": [{layer}]}}"#))
    };
    network("[4, 4, 1]", r#"{"lstm": {"units": 3, "bidirectional": true}}"#).unwrap();
    let padded = r#"{"max_pool": {"kernel": [2, 2], "stride": [2, 2], "padding": {"upper": 1}}}"#;
    for (input, layer, key) in [
        ("[4, 2]", r#"{"lstm": {"units": 3, "bidirectinal": true}}"#, "bidirectinal"),
        ("[4, 2]", r#"{"time_distributed": {"layers": [{"dense": {"outputs": 3, "bais": false}}]}}"#, "bais"),
        (r#"[4, 2], "knid": "numbers""#, r#""relu""#, "knid"),
        (r#"[4], "kind": {"tokens": {"vocabulary": 9, "words": 2}}"#, r#""relu""#, "words"),
        ("[4, 4, 1]", padded, "upper"),
    ] {
        let error = network(input, layer).unwrap_err().to_string();
        assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
    }
}

#[test]
fn sizes_of_nothing_and_names_of_no_file_are_refused() {
    let one = |layer: Layer| Network::of_numbers("n", [4, 4], vec![Layer::residual([layer])]);
    let dropout = |rate| Layer::Dropout { rate };
    one(dropout(0.0)).check_size().unwrap();
    for (network, place, words) in [
        (one(Layer::dense(0)), "residual1.main.fc1", "size of 0"),
        (one(Layer::lstm(0)), "residual1.main.lstm1", "size of 0"),
        (one(dropout(1.0)), "residual1.main.dropout1", "rate of 1,"),
        (one(dropout(-0.5)), "residual1.main.dropout1", "rate of -0.5,"),
        (Network::of_numbers("n", [0], vec![Layer::Relu]), "input", "size of 0"),
        (Network::of_numbers("n", [2], vec![]), "n", "0 layers"),
        (Network::of_numbers("a/../../b", [2], vec![Layer::Relu]), "name", "cannot name a file"),
        (Network::of_numbers("", [2], vec![Layer::Relu]), "name", "cannot name a file"),
    ] {
        let error = network.check_size().unwrap_err();
        assert_eq!(error.place, place);
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn frozen_parameters_are_not_trained_and_their_batch_norm_rests() {
    let conv = || Layer::conv2d(4, 3, 1);
    let layers = vec![conv(), Layer::BatchNorm, conv(), Layer::BatchNorm, Layer::Flatten, Layer::dense(1)];
    let network = Network::of_pixels("n", [8, 8, 3], layers);
    let built = network.build_frozen(2, Mode::Train { seed: 1 }, &Freeze::new(["conv1", "bn1.*"])).unwrap();
    let trained: Vec<&str> = built.params.iter().map(|&id| built.graph.node(id).name.as_str()).collect();
    assert_eq!(trained, ["conv2.weight", "conv2.bias", "bn2.weight", "bn2.bias", "fc1.weight", "fc1.bias"]);
    assert_eq!(built.stats.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["bn2"]);
}

#[test]
fn a_frozen_layer_holds_the_layers_in_it() {
    let each = [Layer::conv2d(4, 3, 1).padded(1), Layer::residual([Layer::conv2d(4, 1, 1)]), Layer::Flatten];
    let network = Network::of_numbers(
        "n",
        [3, 4, 4, 2],
        vec![Layer::time_distributed(each), Layer::lstm(3).last_state(), Layer::Repeat { times: 2 }, Layer::dense(1)],
    );
    let trained = |pattern: &str| -> Vec<String> {
        let built = network.build_frozen(1, Mode::Train { seed: 1 }, &Freeze::new([pattern])).unwrap();
        let layer = |name: &str| name.rsplit_once('.').unwrap().0.to_string();
        let mut layers: Vec<String> = built.params.iter().map(|&id| layer(&built.graph.node(id).name)).collect();
        layers.dedup();
        layers
    };
    let all = ["time1.conv1", "time1.residual1.main.conv1", "lstm1", "fc1"];
    for (pattern, frozen) in [
        ("time1", &all[..2]),
        ("time1.residual*", &all[1..2]),
        ("time1.residual1.main", &all[1..2]),
        ("*.conv1", &all[..2]),
        ("conv1", &[]),
        ("lstm1.weight_?h_l0", &[]),
        ("fc1", &all[3..]),
    ] {
        let expected: Vec<&str> = all.into_iter().filter(|layer| !frozen.contains(layer)).collect();
        assert_eq!(trained(pattern), expected, "{pattern}");
    }
}

#[test]
fn branches_are_joined_along_their_own_last_dimension() {
    let pooled = |layers: &[Layer]| [layers, &[Layer::GlobalAvgPool]].concat();
    let vectors = Layer::Branches { branches: vec![pooled(&[]), pooled(&[Layer::conv2d(5, 3, 1)])] };
    let averaged = Layer::Branches { branches: vec![vec![Layer::Mean], vec![Layer::lstm(4).last_state()]] };
    let sequences = Layer::Branches { branches: vec![vec![], vec![Layer::lstm(4)]] };
    let pictures = Layer::Branches { branches: vec![vec![], vec![Layer::conv2d(5, 1, 1)]] };
    for (input, layer, output) in [
        (&[6, 6, 3][..], vectors, &[2, 8][..]),
        (&[6, 6, 3], pictures, &[2, 6, 6, 8]),
        (&[6, 3], averaged, &[2, 7]),
        (&[6, 3], sequences, &[2, 6, 7]),
    ] {
        let built = Network::of_numbers("n", input, vec![layer]).build(2, Mode::Eval).unwrap();
        assert_eq!(built.graph.shape(built.output).dims(), output);
    }
    let uneven = Layer::Branches { branches: vec![vec![], vec![Layer::GlobalAvgPool]] };
    let error = Network::of_numbers("n", [6, 6, 3], vec![uneven]).build(1, Mode::Eval).unwrap_err();
    assert!(error.place.contains("branches1"), "{error}");
}

#[test]
fn a_vocabulary_that_is_too_large_is_reported_as_it_was_given() {
    let network = |vocabulary| Network::of_numbers("n", [4], vec![Layer::embedding(vocabulary, 2), Layer::Mean]);
    network(1 << 20).check_size().unwrap();
    for vocabulary in [(1 << 20) + 1, 0, usize::MAX] {
        let error = network(vocabulary).check_size().unwrap_err();
        assert_eq!(error.place, "embedding1");
        assert!(error.message.contains(&format!("{vocabulary} words, not 1 to 1048576")), "{error}");
    }
}

/// Bounds by `torch.nn`: `ConvTranspose2d` counts what a number goes into, `MultiheadAttention` is Xavier, without biases.
#[test]
fn pytorchs_defaults_are_those_of_each_layer() {
    let pictures = Network::of_numbers(
        "n",
        [4, 4, 10],
        vec![Layer::conv_transpose2d(40, 3, 1), Layer::conv2d(20, 3, 1), Layer::GlobalAvgPool, Layer::dense(30)],
    );
    let sequence = Network::of_numbers("n", [5, 48], vec![Layer::Attention { heads: 2 }, Layer::dense(3)]);
    let root = |fan: f32| fan.sqrt().recip();
    for (network, name, bound) in [
        (&pictures, "deconv1.weight", root(40.0 * 9.0)),
        (&pictures, "deconv1.bias", root(40.0 * 9.0)),
        (&pictures, "conv1.weight", root(40.0 * 9.0)),
        (&pictures, "fc1.weight", root(20.0)),
        (&pictures, "fc1.bias", root(20.0)),
        (&sequence, "attention1.in_proj_weight", (6.0f32 / (48.0 + 3.0 * 48.0)).sqrt()),
        (&sequence, "attention1.in_proj_bias", 0.0),
        (&sequence, "attention1.out_proj.weight", root(48.0)),
        (&sequence, "attention1.out_proj.bias", 0.0),
    ] {
        let params = network.init_as(3, Initializer::Pytorch).unwrap();
        let largest = params.get(name).unwrap().data.iter().fold(0f32, |largest, v| largest.max(v.abs()));
        assert!(largest <= bound && largest >= 0.8 * bound, "{name}: {largest}, bound {bound}");
    }
}

#[test]
fn initializers_have_the_spread_that_they_promise() {
    let network =
        Network::of_numbers("n", [10, 24], vec![Layer::lstm(16).last_state(), Layer::dense(40), Layer::dense(1)]);
    let spread = |initializer: Initializer, name: &str| {
        let params = network.init_as(3, initializer).unwrap();
        let values = &params.get(name).unwrap().data;
        (values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32).sqrt()
    };
    for (initializer, variance) in
        [(Initializer::He, 2.0 / 16.0), (Initializer::Xavier, 2.0 / 56.0), (Initializer::Pytorch, 1.0 / 48.0)]
    {
        let found = spread(initializer, "fc1.weight");
        assert!((found / f32::sqrt(variance) - 1.0).abs() < 0.08, "{initializer:?}: {found}");
    }
    assert_eq!(spread(Initializer::Xavier, "fc1.bias"), 0.0);
    assert!(spread(Initializer::Pytorch, "lstm1.bias_l0") > 0.1);
    for initializer in [Initializer::Layer, Initializer::Orthogonal] {
        let params = network.init_as(3, initializer).unwrap();
        for gate in params.get("lstm1.weight_hh_l0").unwrap().data.chunks(256) {
            for (i, j) in (0..16).flat_map(|i| (0..16).map(move |j| (i, j))) {
                let product: f32 = (0..16).map(|k| gate[i * 16 + k] * gate[j * 16 + k]).sum();
                assert!((product - f32::from(u8::from(i == j))).abs() < 1e-5, "{initializer:?} rows {i} and {j}");
            }
        }
    }
}

#[test]
fn what_needs_the_end_of_a_sequence_cannot_go_along_with_it() {
    let network = |layer| Network::of_numbers("n", [5, 4], vec![layer, Layer::dense(1)]);
    let stream = network(Layer::lstm(3)).stream().unwrap();
    assert_eq!((stream.states.len(), stream.graph.shape(stream.output).dims()), (2, &[1, 1][..]));
    assert_eq!(network(Layer::gru(3)).stream().unwrap().states.len(), 1);
    let error = network(Layer::lstm(3).in_both_directions()).stream().unwrap_err();
    assert!(error.message.contains("from their end"), "{error}");
}
