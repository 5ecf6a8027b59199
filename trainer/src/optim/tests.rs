use super::slope::Slope;
use super::*;
use crate::graph::{Param, Params};

/// Parameters and gradients of the cases that PyTorch 2.15 was given, as in
/// `p = torch.tensor(P, requires_grad=True); o = torch.optim.Adam([p], lr=0.01)`, then for each row of `G`
/// `p.grad = torch.tensor(row); o.step()`; expected is `p` at the end.
const P: [f32; 3] = [0.5, -1.25, 2.0];
const G: [[f32; 3]; 4] = [[0.1, -0.2, 0.3], [0.4, 0.05, -1.5], [-0.3, 0.25, 0.0], [0.02, -0.6, 0.9]];

fn params(values: &[(&str, &[f32])]) -> Params {
    let mut params = Params::new();
    for (name, data) in values {
        let (name, shape) = (name.to_string(), [data.len()].into());
        params.insert(Param { name, shape, data: data.to_vec(), trainable: true }).unwrap();
    }
    params
}

fn descended(method: Method, decay: f64, rate: f64, clip: Clip) -> Vec<f32> {
    let mut params = params(&[("p", &P)]);
    let mut optimizer = Optimizer::new(method, decay, &params, ["p"]).unwrap().clipped(clip);
    G.iter().for_each(|gradient| optimizer.step(&mut params, |_| gradient, rate));
    params.entries()[0].data.clone()
}

#[track_caller]
fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-6, "{found:?} against {expected:?}");
    }
}

#[test]
fn rules_equal_those_of_pytorch() {
    let nesterov = Method::Sgd { momentum: 0.9, nesterov: true };
    let graves = Method::RmsProp { alpha: 0.9, epsilon: 1e-3, momentum: 0.8, centered: true };
    let quick = Method::RmsProp { alpha: 0.9, epsilon: 1e-8, momentum: 0.0, centered: false };
    let adam = Method::Adam { beta1: 0.8, beta2: 0.95, epsilon: 1e-6 };
    for (method, decay, rate, expected) in [
        // SGD(lr=0.1); with momentum=0.9, weight_decay=0.05; and nesterov=True.
        (Method::sgd(0.0), 0.0, 0.1, [0.478_000_02, -1.199_999_9, 2.030_000_2]),
        (Method::sgd(0.9), 0.05, 0.1, [0.390_819_04, -1.126_825_1, 2.1220336]),
        (nesterov, 0.05, 0.1, [0.371_580_03, -1.065_527_9, 2.097_605_2]),
        // RMSprop(lr=0.01); with alpha=0.9, weight_decay=0.05; with alpha=0.9, eps=1e-3, momentum=0.8, centered=True.
        (Method::rms_prop(), 0.0, 0.01, [0.358_044_06, -1.163_658_6, 1.946_981_5]),
        (quick, 0.05, 0.01, [0.452_635_14, -1.207_736_7, 1.977_429_4]),
        (graves, 0.0, 0.01, [0.357_660_65, -1.1896199, 1.963_611_2]),
        // Adam(lr=0.01); with betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05; AdamW(lr=0.01, weight_decay=0.05).
        (Method::adam(), 0.0, 0.01, [0.477_714_87, -1.233_834_3, 2.000_924_6]),
        (adam, 0.05, 0.01, [0.476_770_46, -1.227_664_4, 1.998_008_5]),
        (Method::adam_w(), 0.05, 0.01, [0.476_740_27, -1.231_354_4, 1.996_933_9]),
    ] {
        assert_close(&descended(method, decay, rate, Clip::default()), &expected);
    }
}

#[test]
fn clipping_equals_that_of_pytorch() {
    // Before each step clip_grad_value_([p], 0.25) where there is a value, then clip_grad_norm_([p], NORM).
    let sgd = Method::sgd(0.0);
    for (method, rate, value, norm, expected) in [
        (Method::adam(), 0.01, None, Some(0.5), [0.483_365_12, -1.233_422_9, 1.992_930_5]),
        (sgd, 0.1, None, Some(0.5), [0.506_199_24, -1.228_879_3, 1.976_691_4]),
        (sgd, 0.1, Some(0.25), None, [0.488, -1.235, 1.975]),
        (sgd, 0.1, Some(0.25), Some(0.3), [0.489_570_4, -1.236_346_1, 1.977_464_3]),
    ] {
        assert_close(&descended(method, 0.0, rate, Clip { value, norm }), &expected);
    }
    assert!(Slope { limit: 1.0, ..Slope::PLAIN }.at(f32::NAN, 0.0).is_nan(), "clipping hides no NaN");
}

#[test]
fn the_norm_is_over_all_parameters() {
    let mut params = params(&[("a", &[0.0, 0.0]), ("b", &[0.0])]);
    let clip = Clip { norm: Some(1.0), ..Clip::default() };
    let mut optimizer = Optimizer::new(Method::sgd(0.0), 0.0, &params, ["a", "b"]).unwrap().clipped(clip);
    optimizer.step(&mut params, |at| [&[3.0f32, 0.0][..], &[4.0][..]][at], 1.0);
    assert_close(&params.get("a").unwrap().data, &[-0.6, 0.0]);
    assert_close(&params.get("b").unwrap().data, &[-0.8]);
}

#[test]
fn two_optimizers_step_their_own_parameters_of_one_store() {
    let mut params = params(&[("generator.w", &[1.0]), ("discriminator.w", &[1.0]), ("fixed", &[1.0])]);
    let mut generator = Optimizer::new(Method::adam(), 0.0, &params, ["generator.w"]).unwrap();
    let mut discriminator = Optimizer::new(Method::sgd(0.5), 0.0, &params, ["discriminator.w"]).unwrap();
    let values = |params: &Params| params.entries().iter().map(|p| p.data[0]).collect::<Vec<_>>();
    discriminator.step(&mut params, |_| &[1.0], 0.1);
    assert_close(&values(&params), &[1.0, 0.9, 1.0]);
    generator.step(&mut params, |_| &[1.0], 0.1);
    assert_close(&values(&params), &[0.9, 0.9, 1.0]);
    discriminator.step(&mut params, |_| &[1.0], 0.1);
    assert_close(&values(&params), &[0.9, 0.75, 1.0]);
    assert_eq!((generator.steps(), discriminator.steps()), (1, 2));
    for names in [&["generator.v"][..], &["fixed", "fixed"]] {
        assert!(Optimizer::new(Method::adam(), 0.0, &params, names.iter().copied()).is_err());
    }
}

#[test]
fn a_restored_optimizer_goes_on_the_same() {
    let graves = Method::RmsProp { alpha: 0.9, epsilon: 1e-3, momentum: 0.8, centered: true };
    for method in [Method::sgd(0.0), Method::sgd(0.9), graves, Method::rms_prop(), Method::adam(), Method::adam_w()] {
        let mut params = params(&[("p", &P)]);
        let mut whole = Optimizer::new(method, 0.01, &params, ["p"]).unwrap();
        whole.step(&mut params, |_| &G[0], 0.01);
        let mut restored = Optimizer::new(method, 0.01, &params, ["p"]).unwrap();
        let find = |slot: &str, name: &str| {
            let saved = whole.state(&params).find(|&(s, n, _)| (s, n) == (slot, name));
            Ok(saved.unwrap().2.to_vec())
        };
        restored.restore(&params, whole.steps(), find).unwrap();
        assert_eq!(restored, whole);
        assert!(restored.restore(&params, 1, |_, _| Ok(vec![0.0])).is_err() || method == Method::sgd(0.0));
    }
}

/// Factors of every step.
fn factors(schedule: Schedule, warmup: f64, epochs: usize, per_epoch: usize) -> Vec<f32> {
    let timetable = Timetable { schedule, warmup, epochs, per_epoch };
    (0..(epochs * per_epoch) as u64).map(|step| timetable.factor(step) as f32).collect()
}

#[test]
fn schedules_equal_those_of_pytorch() {
    // OneCycleLR(max_lr=1, total_steps=10, cycle_momentum=False), CosineAnnealingLR(T_max=8, eta_min=0.1), StepLR(4, 0.5):
    // `o.param_groups[0]["lr"]` before each `s.step()`.
    let cycle = [0.04, 0.52, 1.0, 0.950_484_63, 0.811_745_64, 0.611_262, 0.388_741_97, 0.188_258_35, 0.049519368, 4e-6];
    assert_close(&factors(Schedule::one_cycle(), 0.0, 5, 2), &cycle);
    let cosine = [1.0, 0.965_745_8, 0.868_198_04, 0.722_207_55, 0.55, 0.377_792_45, 0.231_801_94, 0.13425421];
    assert_close(&factors(Schedule::Cosine { floor: 0.1 }, 0.0, 2, 4), &cosine);
    let step = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25];
    assert_close(&factors(Schedule::Step { every: 2, factor: 0.5 }, 0.0, 5, 2), &step);
}

#[test]
fn any_schedule_can_be_warmed_up() {
    assert_close(&factors(Schedule::Constant, 2.0, 3, 2), &[0.01, 0.25, 0.5, 0.75, 1.0, 1.0]);
    let cosine = factors(Schedule::Cosine { floor: 0.0 }, 1.0, 3, 2);
    assert_close(&cosine, &[0.01, 0.5, 1.0, 0.853_553_4, 0.5, 0.146_446_62]);
    let step = factors(Schedule::Step { every: 1, factor: 0.1 }, 0.5, 3, 2);
    assert_close(&step, &[0.01, 1.0, 1.0, 0.1, 0.1, 0.01]);
    let cycle = Schedule::OneCycle { rise: 0.5, start: 0.2, end: 0.0 };
    assert_close(&factors(cycle, 1.0, 3, 2), &[0.002, 0.1, 0.2, 1.0, 0.5, 0.0]);
    // A run that ends while it warms up rises all the way.
    for schedule in [Schedule::Constant, Schedule::Cosine { floor: 0.01 }] {
        assert_close(&factors(schedule, 4.0, 2, 2), &[0.01, 0.125, 0.25, 0.375]);
    }
    assert_close(&factors(cycle, 4.0, 2, 2), &[0.002, 0.025, 0.05, 0.075]);
}

#[test]
fn schedules_bear_the_shortest_runs() {
    for schedule in [Schedule::Constant, Schedule::Cosine { floor: 0.1 }, Schedule::one_cycle()] {
        for warmup in [0.0, 0.5, 1.0, 7.0] {
            let found = factors(schedule, warmup, 1, 1);
            assert!(found[0].is_finite() && found[0] > 0.0 && found[0] <= 1.0, "{schedule:?} {warmup} {found:?}");
        }
    }
}

#[test]
fn constants_out_of_range_are_refused() {
    let rms = |alpha, momentum| Method::RmsProp { alpha, epsilon: 1e-8, momentum, centered: false };
    let adam = |beta1, epsilon| Method::AdamW { beta1, beta2: 0.9, epsilon };
    let nesterov = Method::Sgd { momentum: 0.0, nesterov: true };
    for method in [Method::sgd(1.0), Method::sgd(f64::NAN), nesterov, rms(1.0, 0.0), rms(0.9, -0.1), adam(1.0, 1e-8)] {
        assert!(method.check().is_err(), "{method:?}");
    }
    assert!(adam(0.9, -1.0).check().is_err() && adam(0.9, 1e-8).check().is_ok());
    let cycle = |rise, start| Schedule::OneCycle { rise, start, end: 0.0 };
    let step = |every, factor| Schedule::Step { every, factor };
    for schedule in [cycle(0.0, 0.1), cycle(1.0, 0.1), cycle(0.3, f64::NAN), step(0, 0.1), step(1, f64::INFINITY)] {
        assert!(schedule.check().is_err(), "{schedule:?}");
    }
    for bound in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Clip { value: Some(bound), norm: None }.check().is_err());
        assert!(Clip { value: None, norm: Some(bound) }.check().is_err());
    }
}

#[test]
fn the_average_follows_the_parameters() {
    let mut params = params(&[("p", &[1.0])]);
    let mut average = Ema::new(0.5, &params);
    let found: Vec<f32> = [2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 13.0]
        .into_iter()
        .map(|value| {
            params.entries_mut()[0].data[0] = value;
            average.update(&params);
            average.params().entries()[0].data[0]
        })
        .collect();
    // Decays 1/10, 2/11, 3/12 ... until 9/18 = 0.5.
    assert_close(&found[..3], &[1.9, 2.8, 2.95]);
    assert_close(&found[9..], &[(13.0 + found[8]) / 2.0]);
    let mut restored = Ema::new(0.5, &params);
    restored.restore(10, |_| Ok(vec![found[9]])).unwrap();
    assert_eq!(restored, average);
    assert!(restored.restore(10, |_| Ok(vec![])).is_err());
}
