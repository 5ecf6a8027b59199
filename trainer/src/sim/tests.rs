use std::sync::atomic::AtomicBool;

use super::*;
use crate::{Error, ErrorKind, Frame, Result};

const SIZE: (usize, usize) = (32, 96);

fn options(seconds: f32) -> DriveOptions {
    DriveOptions { seconds, ..DriveOptions::new(SIZE.0, SIZE.1) }
}

/// A road that bends with one curvature, under even light with nothing to tell left from right.
fn plain(curvature: f64) -> World {
    let road = Road::from_curvature(&vec![curvature; 1200], 3.8);
    let mut weather = Weather::from_seed(4);
    (weather.rain, weather.noise, weather.shadows, weather.shake, weather.tilt) = (0.0, 0.0, 0.0, 0.0, 0.0);
    (weather.fog, weather.clouds, weather.ambient) = (0.001, 0.0, [0.9; 3]);
    let mut scenery = Scenery::from_seed(4, &road, &weather).bare();
    scenery.verge = [0.10, 0.24, 0.05];
    World { road, scenery, weather }
}

fn frame(world: &World, lateral: f32, yaw: f32) -> Frame {
    let mut renderer = Renderer::new(Camera::default(), SIZE.0, SIZE.1);
    renderer.frame(world, world.road.pose(60.0, lateral, yaw), 60.0, 0)
}

/// Mean column of the bright paint and grey asphalt (little saturation), in rows of road only.
fn road_column(frame: &Frame, rows: std::ops::Range<usize>) -> f32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for row in rows {
        for column in 0..frame.width {
            let at = (row * frame.width + column) * 3;
            let pixel = &frame.rgb[at..at + 3];
            let green = i32::from(pixel[1]) - i32::from(pixel[0].max(pixel[2]));
            if green < 8 {
                (sum, count) = (sum + column as f32, count + 1.0);
            }
        }
    }
    sum / count
}

#[test]
fn same_seed_same_frames_other_seed_other_frames() {
    let shot = |track, weather, tick| {
        let world = World::new(track, weather, 20.0);
        Renderer::new(Camera::default(), 66, 200).frame(&world, world.road.pose(50.0, 0.2, 0.1), 50.0, tick)
    };
    assert_eq!(shot(3, 5, 7), shot(3, 5, 7));
    assert_ne!(shot(3, 5, 7), shot(4, 5, 7));
    assert_ne!(shot(3, 5, 7), shot(3, 6, 7));
    assert_ne!(shot(3, 5, 7), shot(3, 5, 8), "noise changes from frame to frame");
}

#[test]
fn a_used_renderer_makes_the_same_frame_as_a_new_one() {
    let (a, b) = (World::new(1, 1, 20.0), World::new(2, 2, 20.0));
    let mut used = Renderer::new(Camera::default(), SIZE.0, SIZE.1);
    used.frame(&a, a.road.pose(30.0, 0.0, 0.0), 30.0, 0);
    let mut new = Renderer::new(Camera::default(), SIZE.0, SIZE.1);
    let pose = b.road.pose(40.0, 0.0, 0.0);
    assert_eq!(used.frame(&b, pose, 40.0, 1), new.frame(&b, pose, 40.0, 1));
}

#[test]
fn frames_of_any_size_show_sky_above_ground() {
    let world = plain(0.0);
    let pose = world.road.pose(60.0, 0.0, 0.0);
    for (height, width) in [(0, 0), (1, 1), (3, 7), (64, 64), (200, 20), (120, 160), (66, 200)] {
        let frame = Renderer::new(Camera::default(), height, width).frame(&world, pose, 60.0, 0);
        assert_eq!(frame.rgb.len(), height * width * 3);
        if height > 60 {
            // The left edge is sky (blue prevails) at the top and verge or road at the bottom.
            let blue = |row: usize| frame.rgb[row * width * 3 + 2] > frame.rgb[row * width * 3 + 1];
            assert!(blue(0) && !blue(height - 1), "{height}x{width}");
        }
    }
}

#[test]
fn roads_climb_and_fall_gently() {
    let road = Road::from_seed(5, 700.0);
    let heights: Vec<f32> = (0..700).map(|s| road.at(s as f32).height).collect();
    let (low, high) = heights.iter().fold((f32::MAX, f32::MIN), |(l, h), &v| (l.min(v), h.max(v)));
    assert!(high - low > 0.3, "{low} to {high} m");
    let grades = heights.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    assert!(grades.fold(0.0, f32::max) < 0.08);
}

#[test]
fn a_crest_hides_the_road_beyond() {
    let world = World { road: Road::from_seed(5, 700.0), ..plain(0.0) };
    // How much lower the ground lies 40 m ahead than a straight line along the car would.
    let drop = |s: f32| {
        let height = |ahead: f32| world.road.at(s + ahead).height;
        height(0.0) + (height(0.0) - height(-3.0)) / 3.0 * 40.0 - height(40.0)
    };
    let places = || (20..500).map(|s| s as f32);
    let crest = places().max_by(|a, b| drop(*a).total_cmp(&drop(*b))).unwrap();
    let dip = places().min_by(|a, b| drop(*a).total_cmp(&drop(*b))).unwrap();
    let ground_rows = |s: f32| {
        let mut renderer = Renderer::new(Camera::default(), 66, 200);
        renderer.frame(&world, world.road.pose(s, 0.0, 0.0), s, 0);
        renderer.rows.iter().flatten().count()
    };
    assert!(ground_rows(crest) < ground_rows(dip), "at {crest} m and {dip} m");
}

#[test]
fn training_and_test_seeds_are_disjoint() {
    let train: std::collections::HashSet<u64> = (0..1000).map(|i| Split::Train.seed(i % 7, i)).collect();
    assert!((0..1000).all(|i| !train.contains(&Split::Test.seed(i % 7, i))));
    assert_ne!(Split::Test.seed(1, 0), Split::Test.seed(2, 0));
}

#[test]
fn roads_differ_bend_both_ways_and_never_cross_themselves() {
    for seed in 0..20 {
        let road = Road::from_seed(seed, 2000.0);
        assert!(road.length() >= 2000.0);
        let points: Vec<RoadPoint> = (0..2000).map(|s| road.at(s as f32)).collect();
        assert!(points.windows(2).all(|p| p[1].x > p[0].x), "road {seed} turns back");
        assert!(points.iter().all(|p| p.curvature.abs() <= 0.0401 && (8.0..=15.0).contains(&p.speed)));
        assert!(points.iter().any(|p| p.curvature > 0.01) && points.iter().any(|p| p.curvature < -0.01));
        let lateral_acceleration = |p: &RoadPoint| p.speed * p.speed * p.curvature.abs();
        assert!(points.iter().all(|p| lateral_acceleration(p) < 3.7));
    }
    assert_ne!(Road::from_seed(1, 100.0).at(90.0), Road::from_seed(2, 100.0).at(90.0));
}

#[test]
fn road_coordinates_are_the_inverse_of_poses() {
    let road = Road::from_seed(11, 800.0);
    for i in 0..70 {
        let (s, lateral) = (10.3 + i as f32 * 10.0, (i % 5) as f32 - 2.0);
        let pose = road.pose(s, lateral, 0.3);
        let (found_s, found_lateral) = road.project(pose.x, pose.y, s + 3.0);
        assert!((found_s - s).abs() < 0.05 && (found_lateral - lateral).abs() < 0.02, "{s} {lateral}");
    }
}

#[test]
fn bends_and_offsets_have_the_sign_of_their_steering() {
    let spec = VehicleSpec::default();
    let steer =
        |world: &World, lateral, yaw| expert::steer(&world.road, &spec, world.road.pose(60.0, lateral, yaw), 60.0);
    let (left, straight, right) = (plain(-0.02), plain(0.0), plain(0.02));
    assert!(steer(&left, 0.0, 0.0) < -0.1);
    assert!(steer(&straight, 0.0, 0.0).abs() < 1e-4);
    assert!(steer(&right, 0.0, 0.0) > 0.1);
    assert!(steer(&straight, 0.5, 0.0) < -0.02, "right of the centre it steers left");
    assert!(steer(&straight, 0.0, 0.1) < -0.02, "turned right it steers left");
    assert!((steer(&right, 0.4, -0.1) + steer(&left, -0.4, 0.1)).abs() < 1e-4, "mirrored");
    // On an arc pure pursuit is the arc's own steering.
    let arc = (spec.wheelbase * 0.02).atan().to_degrees() / spec.max_steer_deg;
    assert!((steer(&right, 0.0, 0.0) - arc).abs() < 2e-3);
}

#[test]
fn the_road_is_where_it_should_be_in_the_frame() {
    let straight = plain(0.0);
    let centre = road_column(&frame(&straight, 0.0, 0.0), 12..18);
    assert!((centre - 47.5).abs() < 1.0, "{centre}");
    assert!(road_column(&frame(&straight, 1.0, 0.0), 12..18) < centre - 2.0, "seen from the right it lies left");
    assert!(road_column(&frame(&straight, 0.0, 0.15), 12..18) < centre - 5.0, "turned right it lies left");
    assert!(road_column(&frame(&plain(0.02), 0.0, 0.0), 10..14) > centre + 5.0, "a right bend leads right");
    assert!(road_column(&frame(&plain(-0.02), 0.0, 0.0), 10..14) < centre - 5.0, "a left bend leads left");
}

#[test]
fn a_mirrored_road_gives_a_mirrored_frame() {
    for curvature in [0.01, 0.03] {
        let (right, left) = (frame(&plain(curvature), 0.3, 0.05), frame(&plain(-curvature), -0.3, -0.05));
        let (height, width) = SIZE;
        let mut difference = 0;
        for row in height / 2..height {
            for column in 0..width {
                let (a, b) = ((row * width + column) * 3, (row * width + width - 1 - column) * 3);
                difference += u64::from(right.rgb[a].abs_diff(left.rgb[b]));
            }
        }
        let mean = difference as f64 / (height / 2 * width) as f64;
        assert!(mean < 2.0, "{mean}");
    }
}

#[test]
fn the_road_stands_out_in_every_weather() {
    for index in 0..30 {
        let world = World::of(Split::Test, 3, index, 30.0);
        let mut renderer = Renderer::new(Camera::default(), SIZE.0, SIZE.1);
        let frame = renderer.frame(&world, world.road.pose(60.0, 0.0, 0.0), 60.0, 0);
        let rows = &frame.rgb[12 * 96 * 3..26 * 96 * 3];
        let mean = rows.iter().map(|&v| f64::from(v)).sum::<f64>() / rows.len() as f64;
        let variance = rows.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / rows.len() as f64;
        assert!((30.0..235.0).contains(&mean), "world {index} is {mean} bright");
        assert!(variance.sqrt() > 12.0, "world {index} has a contrast of {}", variance.sqrt());
    }
}

#[test]
fn the_inner_wheel_turns_further_by_ackermann() {
    let (wheelbase, track) = (2.7f32, 1.6f32);
    for degrees in [-25.0f32, -8.0, 3.0, 20.0] {
        let angles = wheel_angles(degrees.to_radians(), wheelbase, track);
        let (inner, outer) = if degrees > 0.0 { (angles.right, angles.left) } else { (-angles.left, -angles.right) };
        assert!(inner > outer && outer > 0.0);
        assert!((1.0 / outer.tan() - 1.0 / inner.tan() - track / wheelbase).abs() < 1e-3);
    }
    assert_eq!(wheel_angles(0.0, wheelbase, track), WheelAngles { left: 0.0, right: 0.0 });
}

#[test]
fn the_car_rolls_on_the_circle_of_its_wheel_angle() {
    let spec = VehicleSpec::default();
    let mut car = Vehicle { spec, pose: Pose::default(), speed: 5.0, steering: 10f32.to_radians() };
    let radius = turn_radius(car.steering, spec.wheelbase);
    assert!((radius - 2.7 / 10f32.to_radians().tan()).abs() < 1e-4);
    for _ in 0..300 {
        car.step(10.0 / spec.max_steer_deg, 5.0, 1.0 / FRAMES_PER_SECOND);
        let from_centre = (car.pose.x.powi(2) + (car.pose.y - radius).powi(2)).sqrt();
        assert!((from_centre - radius).abs() < 0.02, "{from_centre} m for {radius} m");
    }
}

#[test]
fn the_actuator_lags_and_is_limited_in_rate_and_reach() {
    let spec = VehicleSpec::default();
    let mut car = Vehicle { spec, pose: Pose::default(), speed: 10.0, steering: 0.0 };
    let dt = 1.0 / FRAMES_PER_SECOND;
    car.step(1.0, 10.0, dt);
    assert!((car.steering.to_degrees() - spec.rate_deg_s * dt).abs() < 1e-3, "rate limit");
    for _ in 0..100 {
        car.step(3.0, 10.0, dt);
    }
    assert!((car.command() - 1.0).abs() < 1e-3, "reach");
    car.step(0.99, 10.0, dt);
    assert!(car.command() > 0.99, "lag");
}

#[test]
fn expert_keeps_its_lane() {
    for index in 0..10 {
        let result = drive_expert(&World::of(Split::Test, 7, index, 120.0), &options(120.0));
        assert_eq!((result.autonomy, result.interventions), (1.0, 0), "world {index}");
        assert!(result.rms_lateral_m < 0.2, "world {index}: {} m", result.rms_lateral_m);
        assert_eq!(result.trace.len(), 3600);
        assert!(result.mae_deg < 1e-4);
    }
}

#[test]
fn leaving_the_lane_is_an_intervention_that_puts_the_car_back() {
    let world = plain(0.02);
    let result = drive(&world, &mut |_: &Frame| Ok(0.0), &options(10.0)).unwrap();
    assert!(result.interventions >= 3);
    assert_eq!(result.interventions, result.trace.iter().filter(|s| s.intervention).count());
    assert_eq!(result.autonomy, autonomy(result.interventions, 10.0));
    assert!(result.trace.iter().all(|step| step.lateral.abs() <= INTERVENTION_M));
    for pair in result.trace.windows(2).filter(|pair| pair[0].intervention) {
        assert_eq!(pair[1].lateral, 0.0);
    }
    assert!(result.trace.iter().all(|s| s.lateral <= 0.01), "straight on in a right bend ends on the left");
}

#[test]
fn autonomy_is_nvidias() {
    // The example of the paper: 10 interventions in 600 s are 90 %.
    assert!((autonomy(10, 600.0) - 0.9).abs() < 1e-6);
    assert_eq!(autonomy(0, 120.0), 1.0);
    assert_eq!(autonomy(100, 120.0), 0.0);
}

#[test]
fn errors_and_nonsense_of_a_policy_end_the_drive() {
    let world = plain(0.0);
    let broken = |_: &Frame| -> Result<f32> { Err(Error::new(ErrorKind::Link, "board", "does not answer")) };
    assert_eq!(drive(&world, &mut { broken }, &options(1.0)).unwrap_err().kind, ErrorKind::Link);
    let nan = drive(&world, &mut |_: &Frame| Ok(f32::NAN), &options(1.0));
    assert_eq!(nan.unwrap_err().kind, ErrorKind::NotFinite);
}

#[test]
fn a_shadow_sees_the_same_frames_and_does_not_steer() {
    let world = World::of(Split::Test, 5, 0, 5.0);
    let wobble = |frame: &Frame| Ok(f32::from(frame.rgb[3000]) / 25_500.0);
    let alone = drive(&world, &mut { wobble }, &options(5.0)).unwrap();
    let mut other = |frame: &Frame| wobble(frame).map(|command| command + 0.04);
    let (result, rms) = drive_shadowed(&world, &mut { wobble }, &mut other, &options(5.0)).unwrap();
    assert_eq!(result, alone);
    assert!((rms - 1.0).abs() < 1e-3, "0.04 of 25 degrees: {rms}");
}

#[test]
fn strips_are_evenly_spread() {
    let result = drive_expert(&plain(0.0), &DriveOptions { strip: 5, ..options(10.0) });
    assert_eq!(result.strip.iter().map(|(tick, _)| *tick).collect::<Vec<_>>(), [0, 60, 120, 180, 240]);
    assert!(result.strip.iter().all(|(_, frame)| (frame.height, frame.width) == SIZE));
}

#[test]
fn a_drive_ends_where_the_road_does() {
    // 600 m at 15 m/s.
    let result = drive_expert(&plain(0.0), &options(120.0));
    assert!((1000..1300).contains(&result.trace.len()), "{} steps", result.trace.len());
    assert_eq!(result.autonomy, 1.0);
}

#[test]
fn recording_does_not_depend_on_threads() {
    let options = RecordOptions { frames_per_world: 20, ..RecordOptions::new(9, 70, SIZE.0, SIZE.1) };
    let go = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let count = |n| {
            done.fetch_max(n, std::sync::atomic::Ordering::Relaxed);
        };
        let set = pool.install(|| record(&options, &count, &AtomicBool::new(false))).unwrap();
        assert_eq!(done.into_inner(), 70);
        set
    };
    let (one, three) = (go(1), go(3));
    assert_eq!(one.len(), 70);
    assert!(one.pixels == three.pixels && one.labels == three.labels);
    assert!(one.labels.iter().any(|&l| l > 0.1) && one.labels.iter().any(|&l| l < -0.1));
    assert_ne!(one.frame(0), one.frame(1));
}

#[test]
fn recording_stops_when_asked() {
    let options = RecordOptions::new(9, 10, SIZE.0, SIZE.1);
    let error = record(&options, &|_| (), &AtomicBool::new(true)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
    let nothing = RecordOptions::new(9, 10, 0, 96);
    assert_eq!(record(&nothing, &|_| (), &AtomicBool::new(false)).unwrap_err().kind, ErrorKind::Usage);
}
