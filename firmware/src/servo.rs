//! From a steering angle to servo pulses: range, slew rate, pulse width, duty cycle.

use embedded_hal::pwm::SetDutyCycle;
use fixed::types::I16F16;
// Called by its full name: std's methods, where they exist, would win and round differently from a board's.
use micromath::F32Ext;

/// An angle in degrees, + = right, in steps of 1/65536.
pub type Degrees = I16F16;

/// Period of the servo signal (50 Hz), microseconds.
pub const PERIOD_US: u32 = 20_000;
/// Pulse with the wheels straight, or the throttle neutral, microseconds.
pub const NEUTRAL_US: u32 = 1_500;
/// Pulse change from neutral to either end of the servo's range, microseconds: pulses are 1.0 to 2.0 ms long.
pub const SWING_US: u32 = 500;

/// The steered axle: what turns the limit of one wheel into the limit of the car.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// Distance between the axles, metres.
    pub wheelbase_m: f32,
    /// Distance between the steered wheels, metres.
    pub track_m: f32,
    /// How far a wheel can turn before it touches, degrees.
    pub max_wheel_deg: f32,
}

impl Geometry {
    /// A 1:10 car.
    pub const RC_CAR: Self = Self { wheelbase_m: 0.26, track_m: 0.165, max_wheel_deg: 30.0 };

    /// Angles of the inner and the outer wheel, degrees, for a centre angle of `centre_deg` >= 0: both axles point at the centre of
    /// the same circle (Ackermann): tan(wheel) = L / (R -+ t/2) with R = L / tan(centre).
    pub fn wheels(&self, centre_deg: f32) -> (f32, f32) {
        if centre_deg <= 0.0 {
            return (0.0, 0.0);
        }
        let radius = self.wheelbase_m / F32Ext::tan(centre_deg.to_radians());
        let wheel = |offset: f32| F32Ext::atan(self.wheelbase_m / (radius + offset)).to_degrees();
        (wheel(-0.5 * self.track_m), wheel(0.5 * self.track_m))
    }

    /// The largest centre angle at which the inner wheel, which turns further, is within its limit.
    pub fn max_centre(&self) -> Degrees {
        let radius = self.wheelbase_m / F32Ext::tan(self.max_wheel_deg.to_radians()) + 0.5 * self.track_m;
        let degrees = F32Ext::atan(self.wheelbase_m / radius).to_degrees();
        Degrees::checked_from_num(degrees).unwrap_or(Degrees::ZERO)
    }
}

/// The PWM driver refused a duty cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServoFault;

/// Sends a pulse of `pulse_us` every [`PERIOD_US`]; returns the duty in the PWM's counts.
pub fn set_pulse(pwm: &mut impl SetDutyCycle, pulse_us: u32) -> Result<u16, ServoFault> {
    let duty = u32::from(pwm.max_duty_cycle()) * pulse_us.min(PERIOD_US) / PERIOD_US;
    let duty = duty.min(u32::from(u16::MAX)) as u16;
    pwm.set_duty_cycle(duty).map_err(|_| ServoFault)?;
    Ok(duty)
}

/// The steering servo behind a range and a slew limit.
#[derive(Debug)]
pub struct Steering<S> {
    servo: S,
    limit: Degrees,
    slew_deg_per_s: u16,
    angle: Degrees,
    duty: u16,
}

impl<S: SetDutyCycle> Steering<S> {
    /// A servo that turns at most `limit` to either side, and `slew_deg_per_s` degrees per second.
    pub const fn new(servo: S, limit: Degrees, slew_deg_per_s: u16) -> Self {
        Self { servo, limit, slew_deg_per_s, angle: Degrees::ZERO, duty: 0 }
    }

    /// Turns towards `target` as far as the limits allow in `elapsed_us`.
    pub fn approach(&mut self, target: Degrees, elapsed_us: u64) -> Result<(), ServoFault> {
        // A second is more than any servo needs from end to end; the bound keeps the product small.
        let elapsed_us = elapsed_us.min(1_000_000) as i64;
        let step = (i64::from(self.slew_deg_per_s) << 16) * elapsed_us / 1_000_000;
        // `min` and `max` where `clamp` would assert that its bounds are in order.
        let limit = i64::from(self.limit.to_bits());
        let target = i64::from(target.to_bits()).min(limit).max(-limit);
        let angle = i64::from(self.angle.to_bits());
        let angle = angle + (target - angle).min(step).max(-step);
        self.angle = Degrees::from_bits(angle as i32);
        let pulse_us = self.pulse_us();
        self.duty = set_pulse(&mut self.servo, pulse_us)?;
        Ok(())
    }

    /// Pulse of the present angle: the limit is half a millisecond from the middle.
    fn pulse_us(&self) -> u32 {
        let limit = i64::from(self.limit.to_bits()).max(1);
        let swing = i64::from(self.angle.to_bits()) * i64::from(SWING_US);
        let rounded = (swing + swing.signum() * (limit / 2)).checked_div(limit).unwrap_or(0);
        (i64::from(NEUTRAL_US) + rounded).clamp(0, i64::from(PERIOD_US)) as u32
    }

    /// The wheels' angle now.
    pub const fn angle(&self) -> Degrees {
        self.angle
    }

    /// The duty sent last, in counts of the PWM.
    pub const fn duty(&self) -> u16 {
        self.duty
    }
}

#[cfg(test)]
mod tests;
