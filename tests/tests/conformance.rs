//! Every kernel version, in every weight layout, against the oracle, over generated shapes.

use ackermann_core::blob::write::{Network, OperatorKind};
use ackermann_core::blob::{AlignedBytes, Layout, Rounding};
#[cfg(target_arch = "x86_64")]
use ackermann_core::ops::{Avx2, Vnni};
use ackermann_core::ops::{Dsp, Kernels, Mve, Neon, Portable, Reference, Selected, Sub};
use ackermann_core::{Model, Session};
use ackermann_tests::cases::{self, Border, Movement, Numbers, Recurrence, Sequence, Sliding};
use ackermann_tests::oracle::{self, Oracle};
use proptest::prelude::*;

/// Every operator's output of `network` in `layout` with kernels `K`, scratch and arena full of old bytes.
fn outputs<K: Kernels>(network: &Network, layout: Layout, inputs: &[Vec<i8>]) -> Vec<Vec<i8>> {
    let blob = network.to_bytes(layout).expect("a valid network");
    let model = Model::load(&blob).expect("a valid blob");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    arena.fill(0x5a);
    let mut session = Session::new(model, &mut arena).expect("a large enough arena");
    let mut results = Vec::new();
    // Twice: a session must not remember.
    for _ in 0..2 {
        results.clear();
        for (i, input) in inputs.iter().enumerate() {
            session.input_mut(i).expect("an input").copy_from_slice(input);
        }
        session.run_with::<K>(|_, output| results.push(output.to_vec()));
    }
    assert_eq!(session.output(0), results.last().map(Vec::as_slice));
    results
}

fn conforms(network: &Network, seed: u64) -> Result<(), TestCaseError> {
    let mut numbers = Numbers(!seed);
    let sizes = network.inputs.iter().map(|input| network.tensors[usize::from(*input)].bytes());
    let inputs: Vec<Vec<i8>> = sizes.map(|bytes| numbers.bytes(bytes)).collect();
    let expected = oracle::run(network, &inputs);
    for layout in Layout::ALL {
        prop_assert_eq!(&outputs::<Reference>(network, layout, &inputs), &expected, "reference, {:?}", layout);
        prop_assert_eq!(&outputs::<Portable>(network, layout, &inputs), &expected, "portable, {:?}", layout);
        prop_assert_eq!(&outputs::<Dsp>(network, layout, &inputs), &expected, "dsp, {:?}", layout);
        prop_assert_eq!(&outputs::<Mve>(network, layout, &inputs), &expected, "mve, {:?}", layout);
        prop_assert_eq!(&outputs::<Neon>(network, layout, &inputs), &expected, "neon, {:?}", layout);
        prop_assert_eq!(&outputs::<Selected>(network, layout, &inputs), &expected, "selected, {:?}", layout);
        #[cfg(target_arch = "x86_64")]
        {
            prop_assert_eq!(&outputs::<Avx2>(network, layout, &inputs), &expected, "avx2, {:?}", layout);
            prop_assert_eq!(&outputs::<Vnni>(network, layout, &inputs), &expected, "vnni, {:?}", layout);
        }
    }
    Ok(())
}

/// What is read back from a blob in any layout makes the same blob.
fn round_trips(network: &Network) -> Result<(), TestCaseError> {
    let bytes = |network: &Network| network.to_bytes(Layout::Natural).expect("a valid network");
    for layout in Layout::ALL {
        let blob = network.to_bytes(layout).expect("a valid network");
        let read = Network::from_model(&Model::load(&blob).expect("a valid blob"));
        prop_assert_eq!(&*bytes(&read), &*bytes(network), "{:?}", layout);
    }
    Ok(())
}

fn sliding() -> impl Strategy<Value = Sliding> {
    let pair = |top: usize| (1..=top, 1..=top).prop_map(|(a, b)| [a, b]);
    let border = prop_oneof![Just(Border::Valid), Just(Border::Same)];
    let input = (1usize..=2, 1usize..=9, 1usize..=9, prop_oneof![Just(3usize), 1usize..=9]);
    (input, 1usize..=7, pair(5), pair(3), prop_oneof![3 => Just([1, 1]), 1 => pair(3)], border).prop_map(
        |((n, h, w, c), channels, kernel, stride, dilation, border)| Sliding {
            input: [n, h, w, c],
            channels,
            kernel,
            stride,
            dilation,
            border,
        },
    )
}

/// Outputs of two runs of a network with states, one after the other, and of a third one after a reset.
fn three_runs<K: Kernels>(network: &Network, layout: Layout, inputs: &[Vec<i8>; 2]) -> [Vec<i8>; 3] {
    let blob = network.to_bytes(layout).expect("a valid network");
    let model = Model::load(&blob).expect("a valid blob");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    arena.fill(0x5a);
    let mut session = Session::new(model, &mut arena).expect("a large enough arena");
    [0, 1, 0].map(|i| {
        if i == 0 {
            session.reset();
        }
        session.input_mut(0).expect("an input").copy_from_slice(&inputs[i]);
        session.run_with::<K>(|_, _| ());
        session.output(0).expect("an output").to_vec()
    })
}

/// The parts of `sequence` (time major, one batch) one step at a time.
fn step_by_step(network: &Network, x: &[i8], inputs: usize) -> Vec<i8> {
    let mut network = network.clone();
    let end = network.tensors.len() - 1;
    network.tensors[0].shape[0] = 1;
    network.tensors[end].shape[0] = 1;
    let blob = network.to_bytes(Layout::Dsp).expect("a valid network");
    let model = Model::load(&blob).expect("a valid blob");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).expect("a large enough arena");
    let step = |x: &[i8]| {
        session.input_mut(0).expect("an input").copy_from_slice(x);
        session.run();
        session.output(0).expect("an output").to_vec()
    };
    x.chunks(inputs).flat_map(step).collect()
}

/// Channels that fill vectors of 16 to 64 bytes, or nearly.
fn wide() -> impl Strategy<Value = Sliding> {
    let channels = || prop_oneof![prop::sample::select(vec![8usize, 16, 32, 64, 128]), 1usize..=140];
    (sliding(), channels(), channels()).prop_map(|(sliding, c, channels)| {
        let [_, h, w, _] = sliding.input;
        Sliding { input: [1, h, w, c], channels, ..sliding }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn wide_conv2d(sliding in wide(), seed: u64, extreme: bool) {
        if let Some(network) = cases::conv2d(&sliding, seed, extreme) {
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn wide_depthwise_conv2d(sliding in wide(), seed: u64, extreme: bool) {
        if let Some(network) = cases::depthwise_conv2d(&sliding, 1, seed, extreme) {
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn wide_fully_connected(inputs in 1usize..=300, outputs in 1usize..=140, seed: u64, extreme: bool, single: bool) {
        let rounding = if single { Rounding::Single } else { Rounding::Double };
        conforms(&cases::fully_connected(2, inputs, outputs, seed, rounding, extreme), seed)?;
    }

    #[test]
    fn wide_pooling(sliding in wide(), seed: u64, average: bool) {
        if let Some(network) = cases::pool(&sliding, seed, average) {
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn wide_add(length in 1usize..=400, seed: u64, extreme: bool, twice: bool) {
        conforms(&cases::add(&[length], seed, extreme, twice), seed)?;
    }
}

fn form() -> impl Strategy<Value = cases::Form> {
    (1usize..=4, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(groups, transposed, int4, int16)| cases::Form { groups, transposed, int4, int16 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn conv2d(sliding in sliding(), seed: u64, extreme: bool) {
        if let Some(network) = cases::conv2d(&sliding, seed, extreme) {
            round_trips(&network)?;
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn fully_connected(rows in 1usize..=3, inputs in 1usize..=70, outputs in 1usize..=9, seed: u64, extreme: bool, single: bool) {
        let rounding = if single { Rounding::Single } else { Rounding::Double };
        let network = cases::fully_connected(rows, inputs, outputs, seed, rounding, extreme);
        round_trips(&network)?;
        conforms(&network, seed)?;
    }

    #[test]
    fn pooling(sliding in sliding(), seed: u64, average: bool) {
        if let Some(network) = cases::pool(&sliding, seed, average) {
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn depthwise_conv2d(sliding in sliding(), multiplier in prop_oneof![3 => Just(1usize), 1 => 2usize..=3], seed: u64, extreme: bool) {
        if let Some(network) = cases::depthwise_conv2d(&sliding, multiplier, seed, extreme) {
            round_trips(&network)?;
            conforms(&network, seed)?;
        }
    }

    /// Planes that do not fit into the scratch as a whole.
    #[test]
    fn depthwise_conv2d_in_bands(sliding in sliding(), h in 20usize..=60, w in 20usize..=60, c in 1usize..=6, seed: u64) {
        let sliding = Sliding { input: [1, h, w, c], ..sliding };
        if let Some(mut network) = cases::depthwise_conv2d(&sliding, 1, seed, false) {
            network.tensors[1].arena_offset *= u32::from(!network.in_place(0, 0));
            conforms(&network, seed)?;
        }
    }

    /// The output over the input.
    #[test]
    fn depthwise_conv2d_in_place(sliding in sliding(), seed: u64, extreme: bool) {
        let sliding = Sliding { stride: [1, 1], border: Border::Same, ..sliding };
        let mut network = cases::depthwise_conv2d(&sliding, 1, seed, extreme).expect("a window that fits");
        prop_assert!(network.in_place(0, 0));
        network.tensors[1].arena_offset = network.tensors[0].arena_offset;
        conforms(&network, seed)?;
    }

    #[test]
    fn add(shape in prop::collection::vec(1usize..=7, 1..=4), seed: u64, extreme: bool, twice: bool) {
        conforms(&cases::add(&shape, seed, extreme, twice), seed)?;
    }

    /// The output over either input, or over both.
    #[test]
    fn add_in_place(shape in prop::collection::vec(1usize..=9, 1..=4), over in 0usize..=1, seed: u64, extreme: bool, twice: bool, minus: bool) {
        let mut network = cases::add(&shape, seed, extreme, twice);
        if let (OperatorKind::Add(sum), true) = (&network.operators[0].kind, minus) {
            network.operators[0].kind = OperatorKind::Sub(Sub(*sum));
        }
        prop_assert!(network.in_place(0, over));
        let (written, input) = (usize::from(network.outputs[0]), usize::from(network.operators[0].inputs[over]));
        network.tensors[written].arena_offset = network.tensors[input].arena_offset;
        conforms(&network, seed)?;
    }

    #[test]
    fn softmax(rows in 1usize..=3, depth in prop_oneof![1usize..=20, 1usize..=900], exponent in -7.0f32..1.5, beta in prop_oneof![Just(1.0f32), 0.3f32..3.0], seed: u64) {
        conforms(&cases::softmax(rows, depth, 10f32.powf(exponent), beta, seed), seed)?;
    }

    #[test]
    fn movement(what in prop::sample::select(&Movement::ALL[..]), shape in prop::collection::vec(1usize..=6, 1..=4), seed: u64) {
        let network = cases::movement(what, &shape, seed);
        round_trips(&network)?;
        conforms(&network, seed)?;
    }

    #[test]
    fn recurrent(
        what in prop::sample::select(&Recurrence::ALL[..]),
        (batch, steps) in (1usize..=3, 1usize..=6),
        (inputs, units) in (1usize..=21, 1usize..=11),
        (time_major, backward) in any::<(bool, bool)>(),
        seed in any::<u64>(),
        extreme in any::<bool>(),
    ) {
        let sizes = Sequence { batch, steps, inputs, units, time_major, backward };
        let network = cases::recurrent(what, &sizes, seed, extreme);
        round_trips(&network)?;
        let mut numbers = Numbers(!seed);
        let inputs = [0, 1].map(|_| vec![numbers.bytes(batch * steps * sizes.inputs)]);
        let mut oracle = Oracle::new(&network);
        let [first, second] = inputs.each_ref().map(|input| oracle.run(input).remove(0));
        let expected = [first.clone(), second, first];
        let inputs = inputs.map(|mut input| input.remove(0));
        for layout in [Layout::Natural, Layout::Dsp] {
            prop_assert_eq!(&three_runs::<Reference>(&network, layout, &inputs), &expected, "reference, {:?}", layout);
            prop_assert_eq!(&three_runs::<Portable>(&network, layout, &inputs), &expected, "portable, {:?}", layout);
            prop_assert_eq!(&three_runs::<Dsp>(&network, layout, &inputs), &expected, "dsp, {:?}", layout);
            prop_assert_eq!(&three_runs::<Mve>(&network, layout, &inputs), &expected, "helium, {:?}", layout);
            prop_assert_eq!(&three_runs::<Selected>(&network, layout, &inputs), &expected, "selected, {:?}", layout);
        }
        if batch == 1 && time_major && !backward {
            prop_assert_eq!(&step_by_step(&network, &inputs[0], sizes.inputs), &expected[0], "one step at a time");
        }
    }

    #[test]
    fn general_conv2d(sliding in sliding(), form in form(), seed: u64, extreme: bool) {
        if let Some(network) = cases::general_conv2d(&sliding, form, seed, extreme) {
            round_trips(&network)?;
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn pooling_int16(sliding in sliding(), seed: u64, average: bool) {
        if let Some(network) = cases::pool_int16(&sliding, seed, average) {
            conforms(&network, seed)?;
        }
    }

    #[test]
    fn general_matrix(rows in 1usize..=3, inputs in 1usize..=70, outputs in 1usize..=9, form in form(), seed: u64) {
        let form = cases::Form { transposed: false, ..form };
        conforms(&cases::general_matrix(rows, inputs * form.groups, outputs * form.groups, form, seed), seed)?;
    }

    #[test]
    fn batch_matmul(batch in (1usize..=3, 1usize..=3), sizes in (1usize..=6, 1usize..=20, 1usize..=6), seed: u64) {
        let network = cases::batch_matmul([batch.0, batch.1], [sizes.0, sizes.1, sizes.2], seed);
        round_trips(&network)?;
        conforms(&network, seed)?;
    }

    #[test]
    fn layer_norm(rows in 1usize..=3, depth in prop_oneof![1usize..=20, 1usize..=900], seed: u64) {
        let network = cases::layer_norm(rows, depth, seed);
        round_trips(&network)?;
        conforms(&network, seed)?;
        let x = Numbers(!seed).bytes(rows * depth);
        let found = outputs::<Reference>(&network, Layout::Natural, std::slice::from_ref(&x)).remove(0);
        for (found, exact) in found.iter().zip(oracle::float_layer_norm(&network, &x)) {
            prop_assert!((f64::from(*found) - exact.clamp(-128.0, 127.0)).abs() <= 0.51, "{} for {}", found, exact);
        }
    }

    #[test]
    fn a_chain_of_every_operator(seed: u64) {
        conforms(&cases::chain(seed), seed)?;
    }
}
