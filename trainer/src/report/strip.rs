//! Camera frames with the steering drawn on them.

use base64::Engine;
use plotters::style::RGBColor;

use super::Figure;
use super::html::escape;
use super::svg::key;

/// One frame of the strip.
#[derive(Debug, Clone, Copy)]
pub struct Shot<'a> {
    /// Rows and columns, pixels.
    pub size: (usize, usize),
    /// `height * width * 3` RGB bytes.
    pub rgb: &'a [u8],
    /// Predicted normalized steering, -1 to 1, + = right.
    pub predicted: f32,
    /// The true one, where it is known.
    pub truth: Option<f32>,
    /// Words below the picture: a time, a number.
    pub note: &'a str,
}

const TRUTH: [u8; 3] = [0x22, 0xe0, 0x8b];
const PREDICTED: [u8; 3] = [0xff, 0x8a, 0x1f];
/// Pictures are enlarged to about this width, so that the lines are smooth.
const WIDTH: usize = 400;

/// The shots in a row (or several): the way ahead as steered, curved by steering; `full_scale_deg` turns normalized
/// steering into the degrees that are written below.
pub fn strip(caption: &str, shots: &[Shot<'_>], full_scale_deg: f32) -> Figure {
    let color = |[r, g, b]: [u8; 3]| RGBColor(r, g, b);
    let mut body = String::from("<div class=\"strip\">");
    for shot in shots {
        let Some(png) = picture(shot) else { continue };
        let degrees = |steering: f32| format!("{:+.1}°", steering * full_scale_deg);
        let mut line = String::new();
        if !shot.note.is_empty() {
            line += &format!("{}<br>", escape(shot.note));
        }
        line += &key(color(PREDICTED), &format!("predicted {}", degrees(shot.predicted)));
        if let Some(truth) = shot.truth {
            line += &key(color(TRUTH), &format!("true {}", degrees(truth)));
        }
        let data = base64::engine::general_purpose::STANDARD.encode(png);
        let alt = escape(&format!("camera frame {}", shot.note));
        body += &format!("<div><img alt=\"{alt}\" src=\"data:image/png;base64,{data}\">{line}</div>");
    }
    Figure { body: body + "</div>", caption: caption.into() }
}

/// The frame enlarged, steering drawn, as PNG; `None` for a frame whose bytes do not match its size.
fn picture(shot: &Shot<'_>) -> Option<Vec<u8>> {
    let (height, width) = shot.size;
    if height == 0 || width == 0 || shot.rgb.len() != height * width * 3 {
        return None;
    }
    let zoom = (WIDTH / width).max(1);
    let mut canvas = Canvas { height: height * zoom, width: width * zoom, rgb: Vec::new() };
    for row in shot.rgb.chunks_exact(width * 3) {
        let wide: Vec<u8> = row.as_chunks::<3>().0.iter().flat_map(|pixel| [*pixel].repeat(zoom)).flatten().collect();
        (0..zoom).for_each(|_| canvas.rgb.extend(&wide));
    }
    if let Some(truth) = shot.truth {
        canvas.steering(truth, TRUTH, 3.2);
    }
    canvas.steering(shot.predicted, PREDICTED, 2.0);
    canvas.png()
}

struct Canvas {
    height: usize,
    width: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// A curve from the bottom centre upwards that bends to the side with the square of the way: an arc, seen flat.
    fn steering(&mut self, steering: f32, color: [u8; 3], radius: f32) {
        let (height, width) = (self.height as f32, self.width as f32);
        let steering = if steering.is_finite() { steering.clamp(-1.0, 1.0) } else { 0.0 };
        let steps = self.height * 2;
        for step in 0..=steps {
            let way = step as f32 / steps as f32;
            self.dot(width / 2.0 + steering * way * way * width * 0.45, height * (1.0 - 0.75 * way), color, radius);
        }
    }

    fn dot(&mut self, x: f32, y: f32, color: [u8; 3], radius: f32) {
        let span = |center: f32, len: usize| {
            (center - radius).floor().max(0.0) as usize..(((center + radius).ceil() + 1.0).max(0.0) as usize).min(len)
        };
        for row in span(y, self.height) {
            for column in span(x, self.width) {
                let (dx, dy) = (column as f32 - x, row as f32 - y);
                let at = (row * self.width + column) * 3;
                if let Some(pixel) = self.rgb.get_mut(at..at + 3).filter(|_| dx * dx + dy * dy <= radius * radius) {
                    pixel.copy_from_slice(&color);
                }
            }
        }
    }

    fn png(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.rgb).ok()?;
        writer.finish().ok()?;
        Some(out)
    }
}
