use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::data::{Augment, Augmented, FrameSet, Samples, Target};

/// One frame of 4 x 5 whose pixel values tell where they are.
fn frames(label: f32) -> FrameSet {
    FrameSet { height: 4, width: 5, pixels: (0..60).collect(), labels: vec![label] }
}

fn sample(frames: &FrameSet, augment: Augment, seed: u64) -> (Vec<u8>, f32) {
    let mut input = vec![0.0; frames.height * frames.width * 3];
    let mut target = [0.0];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Augmented::new(frames, augment).write(0, Some(&mut rng), &mut input, &mut target);
    (input.iter().map(|x| (x * 128.0 + 128.0).round() as u8).collect(), target[0])
}

#[test]
fn without_a_generator_the_recording_is_written() {
    let frames = frames(0.25);
    let samples = Augmented::new(&frames, Augment::default());
    let (mut input, mut target) = (vec![0.0; 60], [0.0]);
    samples.write(0, None, &mut input, &mut target);
    assert_eq!((samples.input_shape(), samples.target(), samples.len()), (&[4, 5, 3][..], Target::Numbers(1), 1));
    assert!(input.iter().enumerate().all(|(index, &x)| x == (index as f32 - 128.0) / 128.0));
    assert_eq!(target, [0.25]);
    assert_eq!(sample(&frames, Augment::NONE, 3).0, frames.pixels);
}

#[test]
fn a_flip_mirrors_pixels_and_negates_the_label() {
    let frames = frames(0.25);
    let (pixels, label) = sample(&frames, Augment { flip: 1.0, ..Augment::NONE }, 1);
    let mirrored: Vec<u8> =
        frames.pixels.chunks(15).flat_map(|row| row.chunks(3).rev().flatten().copied().collect::<Vec<_>>()).collect();
    assert_eq!((pixels, label), (mirrored, -0.25));
}

#[test]
fn a_shift_moves_the_road_and_the_label_with_it() {
    let frames = frames(0.0);
    let augment = Augment { shift_x: 0.6, shift_y: 0.5, shift_label: 0.5, ..Augment::NONE };
    let mut seen = std::collections::HashSet::new();
    for seed in 0..200 {
        let (pixels, label) = sample(&frames, augment, seed);
        let dx = (label / 0.5 * 5.0).round() as i32;
        let dy = (-2..=2)
            .find(|dy| {
                (0..4).all(|y: i32| {
                    (0..5).all(|x: i32| {
                        let (from_y, from_x) = ((y - dy).clamp(0, 3), (x - dx).clamp(0, 4));
                        pixels[(y * 15 + x * 3) as usize] == (from_y * 15 + from_x * 3) as u8
                    })
                })
            })
            .expect("rows and columns are moved as a whole");
        seen.insert((dx, dy));
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn light_and_noise_stay_in_range_and_differ_by_seed() {
    let frames = FrameSet { height: 4, width: 5, pixels: [0, 255, 128].repeat(20), labels: vec![1.0] };
    let strong =
        Augment { brightness: 0.9, contrast: 0.9, shadow: 1.0, noise: 0.5, shift_label: 5.0, ..Augment::default() };
    for seed in 0..100 {
        let mut input = vec![0.0; 60];
        let mut target = [0.0];
        Augmented::new(&frames, strong).write(0, Some(&mut ChaCha8Rng::seed_from_u64(seed)), &mut input, &mut target);
        assert!(input.iter().all(|x| (-1.0..=127.0 / 128.0).contains(x)));
        assert!((-1.0..=1.0).contains(&target[0]));
    }
    assert_eq!(sample(&frames, strong, 5), sample(&frames, strong, 5));
    assert_ne!(sample(&frames, strong, 5), sample(&frames, strong, 6));
}

#[test]
fn a_shadow_darkens_one_side() {
    let frames = FrameSet { height: 8, width: 40, pixels: vec![200; 960], labels: vec![0.0] };
    for seed in 0..20 {
        let (pixels, _) = sample(&frames, Augment { shadow: 1.0, ..Augment::NONE }, seed);
        let levels: std::collections::BTreeSet<u8> = pixels.iter().copied().collect();
        assert!(
            levels.len() <= 2 && levels.iter().all(|&level| level == 200 || (79..=181).contains(&level)),
            "{levels:?}"
        );
    }
}
