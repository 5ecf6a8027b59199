use core::convert::Infallible;

use embedded_hal::pwm::ErrorType;

use super::*;

struct Pwm(u16);

impl ErrorType for Pwm {
    type Error = Infallible;
}

impl SetDutyCycle for Pwm {
    fn max_duty_cycle(&self) -> u16 {
        60_000
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
        self.0 = duty;
        Ok(())
    }
}

fn degrees(value: f64) -> Degrees {
    Degrees::from_num(value)
}

#[test]
fn pulses_span_one_to_two_milliseconds() {
    let mut steering = Steering::new(Pwm(0), degrees(26.0), 1000);
    for (angle, duty) in [(0.0, 4_500), (26.0, 6_000), (-26.0, 3_000), (13.0, 5_250), (90.0, 6_000), (-90.0, 3_000)] {
        steering.approach(degrees(angle), 1_000_000).unwrap();
        assert_eq!((steering.duty(), steering.servo.0), (duty, duty), "{angle} degrees");
    }
}

#[test]
fn the_wheels_turn_no_faster_than_allowed() {
    let mut steering = Steering::new(Pwm(0), degrees(25.0), 300);
    steering.approach(degrees(25.0), 10_000).unwrap();
    assert_eq!(steering.angle(), degrees(3.0));
    steering.approach(degrees(-25.0), 20_000).unwrap();
    assert_eq!(steering.angle(), degrees(-3.0));
    steering.approach(degrees(-4.0), 20_000).unwrap();
    assert_eq!(steering.angle(), degrees(-4.0));
    steering.approach(degrees(25.0), 0).unwrap();
    assert_eq!(steering.angle(), degrees(-4.0));
    // Without the bound on the interval this would overflow.
    steering.approach(Degrees::MAX, u64::MAX).unwrap();
    assert_eq!(steering.angle(), degrees(25.0));
}

#[test]
fn both_wheels_point_at_one_centre() {
    let axle = Geometry::RC_CAR;
    let (inner, outer) = axle.wheels(20.0);
    assert!(inner > 20.0 && outer < 20.0, "{inner} {outer}");
    // Ackermann's condition: cot(outer) - cot(inner) = track / wheelbase.
    let cot = |degrees: f32| 1.0 / f64::from(degrees).to_radians().tan();
    let ratio = f64::from(axle.track_m / axle.wheelbase_m);
    assert!((cot(outer) - cot(inner) - ratio).abs() < 0.01);
    assert_eq!(axle.wheels(0.0), (0.0, 0.0));
}

#[test]
fn the_inner_wheel_sets_the_limit() {
    let limit: f32 = Geometry::RC_CAR.max_centre().to_num();
    assert!((25.0..27.0).contains(&limit), "{limit}");
    let (inner, _) = Geometry::RC_CAR.wheels(limit);
    // micromath is good to about half a degree here.
    assert!((inner - Geometry::RC_CAR.max_wheel_deg).abs() < 0.5, "{inner}");
    let impossible = Geometry { max_wheel_deg: f32::NAN, ..Geometry::RC_CAR };
    assert_eq!(impossible.max_centre(), Degrees::ZERO);
}
