//! The camera's place on the car and its optics.

/// A pinhole camera on the car's axis, looking ahead and a little down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Height above the road, metres.
    pub height_m: f32,
    /// Distance ahead of the rear axle, metres.
    pub forward_m: f32,
    /// Angle below the horizontal, radians.
    pub pitch: f32,
    /// Horizontal field of view, radians.
    pub field_of_view: f32,
}

impl Default for Camera {
    /// Sees the road from about 5 m ahead of the rear axle, in frames three times as wide as high.
    fn default() -> Self {
        Self { height_m: 1.35, forward_m: 1.5, pitch: 6.5f32.to_radians(), field_of_view: 70.0f32.to_radians() }
    }
}

/// Where pixels of a frame look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Optics {
    /// Focal length, pixels.
    pub focal: f32,
    sin: f32,
    cos: f32,
    centre_row: f32,
    centre_column: f32,
}

impl Optics {
    /// Of frames of a size, the camera being pitched down by `tilt` more than it is mounted.
    pub(super) fn new(camera: &Camera, height: usize, width: usize, tilt: f32) -> Self {
        let focal = 0.5 * width as f32 / (0.5 * camera.field_of_view).tan();
        let (sin, cos) = (camera.pitch + tilt).sin_cos();
        Self { focal, sin, cos, centre_row: 0.5 * height as f32 - 0.5, centre_column: 0.5 * width as f32 - 0.5 }
    }

    /// `(forward, down)` of the ray through a row, per unit of depth.
    pub(super) fn row(&self, row: f32) -> (f32, f32) {
        let v = (row - self.centre_row) / self.focal;
        (self.cos - v * self.sin, self.sin + v * self.cos)
    }

    /// Rightward part of the ray through a column, per unit of depth.
    pub(super) fn column(&self, column: f32) -> f32 {
        (column - self.centre_column) / self.focal
    }

    /// `(row, column, depth)` at which a point is seen that is `forward`, `right` and `down` of the camera, metres.
    pub(super) fn project(&self, forward: f32, right: f32, down: f32) -> (f32, f32, f32) {
        let depth = forward * self.cos + down * self.sin;
        let v = (down * self.cos - forward * self.sin) / depth;
        (self.centre_row + v * self.focal, self.centre_column + right / depth * self.focal, depth)
    }
}
