//! How the car moves: a kinematic bicycle with Ackermann geometry, behind a steering actuator that lags.
//!
//! The bicycle stands for both wheels of an axle; its reference point is the middle of the rear axle, which moves along
//! the heading without slip: `heading' = speed * tan(steering) / wheelbase` (Rajamani, *Vehicle Dynamics and Control*, 2.2).

/// Where the car's reference point is and where it points.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pose {
    /// World position, metres.
    pub x: f32,
    /// World position, metres, to the right of `x`.
    pub y: f32,
    /// Direction, radians, clockwise from `x`.
    pub heading: f32,
}

impl Pose {
    /// This pose moved `lateral` metres to its right and then turned right by `yaw` radians: a displaced viewpoint.
    pub fn offset(self, lateral: f32, yaw: f32) -> Self {
        let (sin, cos) = self.heading.sin_cos();
        Self { x: self.x - lateral * sin, y: self.y + lateral * cos, heading: self.heading + yaw }
    }

    /// A world point as seen from this pose: `(forward, right)`, metres.
    pub fn local(self, x: f32, y: f32) -> (f32, f32) {
        let (sin, cos) = self.heading.sin_cos();
        let (dx, dy) = (x - self.x, y - self.y);
        (dx * cos + dy * sin, dy * cos - dx * sin)
    }
}

/// Angles of the two front wheels, radians, positive right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WheelAngles {
    /// Left wheel.
    pub left: f32,
    /// Right wheel.
    pub right: f32,
}

/// Ackermann steering: the angles at which both front wheels roll around the point that the bicycle's wheel, at
/// `steering` radians, turns about: `cot(outer) - cot(inner) = track / wheelbase`. The inner wheel turns further.
pub fn wheel_angles(steering: f32, wheelbase: f32, track: f32) -> WheelAngles {
    let tangent = steering.tan();
    // tan(wheel) = wheelbase / (R +- track / 2) with R = wheelbase / tan(steering), free of the division by zero ahead.
    let wheel = |side: f32| (wheelbase * tangent / (wheelbase + side * 0.5 * track * tangent)).atan();
    WheelAngles { left: wheel(1.0), right: wheel(-1.0) }
}

/// Radius of the rear axle's path, `wheelbase / tan(steering)`, metres, positive right; infinite straight ahead.
pub fn turn_radius(steering: f32, wheelbase: f32) -> f32 {
    wheelbase / steering.tan()
}

/// A mid-size car.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VehicleSpec {
    /// Distance between axles, metres.
    pub wheelbase: f32,
    /// Distance between the wheels of an axle, metres.
    pub track: f32,
    /// Wheel angle at a command of 1, degrees.
    pub max_steer_deg: f32,
    /// Time constant of the steering actuator, seconds.
    pub lag_s: f32,
    /// Fastest change of the wheel angle, degrees per second.
    pub rate_deg_s: f32,
    /// Strongest change of speed, m/s^2.
    pub acceleration: f32,
}

impl Default for VehicleSpec {
    fn default() -> Self {
        let max_steer_deg = super::FULL_SCALE_DEG;
        Self { wheelbase: 2.7, track: 1.6, max_steer_deg, lag_s: 0.08, rate_deg_s: 60.0, acceleration: 2.5 }
    }
}

/// The state of the car.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vehicle {
    /// Its measures.
    pub spec: VehicleSpec,
    /// Middle of the rear axle.
    pub pose: Pose,
    /// Speed, m/s.
    pub speed: f32,
    /// Bicycle wheel angle, radians, positive right.
    pub steering: f32,
}

impl Vehicle {
    /// Moves on by `dt` seconds, steering towards `command` (-1 to 1, held within) and speeding towards `target_speed`.
    pub fn step(&mut self, command: f32, target_speed: f32, dt: f32) {
        let spec = self.spec;
        let wanted = command.clamp(-1.0, 1.0) * spec.max_steer_deg.to_radians();
        let reach = spec.rate_deg_s.to_radians() * dt;
        let lagged = (wanted - self.steering) * (dt / spec.lag_s).min(1.0);
        self.steering += lagged.clamp(-reach, reach);
        self.speed += (target_speed - self.speed).clamp(-spec.acceleration * dt, spec.acceleration * dt);
        let turn = self.speed * dt * self.steering.tan() / spec.wheelbase;
        let middle = self.pose.heading + 0.5 * turn;
        self.pose.x += self.speed * dt * middle.cos();
        self.pose.y += self.speed * dt * middle.sin();
        self.pose.heading += turn;
    }

    /// Actual wheel angle as a command, -1 to 1.
    pub fn command(&self) -> f32 {
        self.steering.to_degrees() / self.spec.max_steer_deg
    }
}
