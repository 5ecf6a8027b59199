//! A network that remembers, its state on the board from frame to frame.

use ackermann_core::blob::AlignedBytes;
use ackermann_trainer::data::{Augment, FrameSet, Sequences};
use ackermann_trainer::nn::{Layer, Network};
use ackermann_trainer::quant::{QuantizeOptions, quantize};

use super::*;

/// A small convolution, an LSTM, one number; with weights as they are drawn.
fn blob() -> AlignedBytes {
    let each = [Layer::conv2d(4, 5, 4), Layer::Relu, Layer::Flatten, Layer::dense(12), Layer::Relu];
    let layers = vec![Layer::time_distributed(each), Layer::lstm(10), Layer::dense(1), Layer::Flatten];
    let (height, width) = net::INPUT;
    let network = Network { input: vec![6, height, width, 3], ..Network::of_pixels("memory", [1, 1, 3], layers) };
    let params = network.init(1).expect("the network can be built");
    let pixels: Vec<u8> = (0..24).flat_map(|seed| net::frame(seed + 1, height, width).rgb).collect();
    let frames = FrameSet { height, width, pixels, labels: vec![0.0; 24] };
    let sequences = Sequences::new(&frames, 6, Augment::NONE);
    quantize(&network, &params, &sequences, &QuantizeOptions::default()).expect("it has an int8 form").blob
}

#[test]
fn states_live_on_the_board_between_frames() {
    let blob = blob();
    let begin = |name| boot(name, &blob, Logs::Off).unwrap_or_else(|error| panic!("{error}")).0;
    for name in [M4, M7, M55] {
        let (mut board, mut host) = (begin(name), begin(HOST));
        let mut answers = std::collections::BTreeSet::new();
        for index in 0..40 {
            // The same three pictures again and again (one alone would be a frozen camera): what changes is what the network remembers.
            let frame = net::frame(1 + index % 3, net::INPUT.0, net::INPUT.1);
            let [found, expected] = [&mut board, &mut host].map(|link| link.frame(time_us(index), &frame).unwrap());
            assert_eq!(found.status, Status::Ok);
            assert_eq!(without_ticks(found), without_ticks(expected.clone()), "{name}, frame {index}");
            if index % 3 == 0 {
                answers.insert(expected.outputs.to_vec());
            }
        }
        assert!(answers.len() > 1, "the network remembers nothing: {answers:?}");
    }
    // Whoever starts anew starts without memories.
    let frame = net::frame(1, net::INPUT.0, net::INPUT.1);
    let (mut board, mut host) = (begin(M7), begin(HOST));
    let [found, expected] = [&mut board, &mut host].map(|link| link.frame(0, &frame).unwrap());
    assert_eq!(without_ticks(found), without_ticks(expected));
}
