//! The driver that sees the road's geometry: pure pursuit of a point of the lane's centre ahead.
//!
//! The wheel angle is that of the circle through the rear axle and the point (Coulter, *Implementation of the Pure
//! Pursuit Path Tracking Algorithm*, 1992): exact on arcs, and a smooth return from any offset. The point's distance is
//! fixed, so that what the expert does is a function of what the camera sees.

use super::{Pose, Road, VehicleSpec};

/// Distance of the pursued point along the road, metres.
pub const PREVIEW_M: f32 = 9.0;

/// Normalized steering (-1 to 1) that the expert commands at `pose`, which is at distance `s` along the road.
pub fn steer(road: &Road, spec: &VehicleSpec, pose: Pose, s: f32) -> f32 {
    let target = road.at(s + PREVIEW_M);
    let (forward, right) = pose.local(target.x, target.y);
    let curvature = 2.0 * right / (forward * forward + right * right).max(1.0);
    let angle = (spec.wheelbase * curvature).atan();
    (angle.to_degrees() / spec.max_steer_deg).clamp(-1.0, 1.0)
}
