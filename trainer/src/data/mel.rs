//! Sound to a picture of its loudness by time and pitch: the log-mel spectrogram that keyword and digit recognizers take.
//!
//! Frames of 32 ms every 16 ms, Hann window, power spectrum, triangular bands equally wide on the mel scale (Davis and Mermelstein 1980,
//! in HTK's form `2595 log10(1 + f / 700)`). A value says how far a band stays below the loudest one of the recording: 1 is the loudest,
//! -1 is 80 dB less or silence. So recordings need no common level, and the range suits int8. The transform uses no special instructions:
//! every machine finds the same values.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Frames of a spectrogram.
pub const FRAMES: usize = 48;
/// Bands of a frame.
pub const BANDS: usize = 32;

const FRAME_SECONDS: f64 = 0.032;
/// Time from one frame to the next.
pub const HOP_SECONDS: f64 = 0.016;
/// Lowest frequency of the first band, Hz.
const LOWEST: f64 = 20.0;
/// What separates 1 from -1, in decibels.
const DECIBELS: f32 = 80.0;
/// Power below which everything is silence: far under one step of 16-bit sound.
const SILENCE: f32 = 1e-12;

/// The transform for sounds of one sample rate.
#[derive(Clone)]
pub struct LogMel {
    frame: usize,
    hop: usize,
    window: Vec<f32>,
    /// For each band its first bin and the weights from there.
    bands: Vec<(usize, Vec<f32>)>,
    fourier: Arc<dyn RealToComplex<f32>>,
}

impl std::fmt::Debug for LogMel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogMel").field("frame", &self.frame).field("hop", &self.hop).finish_non_exhaustive()
    }
}

impl LogMel {
    /// The transform for `rate` samples per second.
    pub fn new(rate: u32) -> Self {
        let samples = |seconds: f64| ((f64::from(rate) * seconds).round() as usize).max(1);
        let frame = samples(FRAME_SECONDS);
        let size = frame.next_power_of_two();
        let turn = |at: usize| (std::f64::consts::TAU * (at as f64 + 0.5) / frame as f64).cos();
        Self {
            frame,
            hop: samples(HOP_SECONDS),
            window: (0..frame).map(|at| (0.5 - 0.5 * turn(at)) as f32).collect(),
            bands: bands(f64::from(rate), size),
            fourier: RealFftPlanner::new().plan_fft_forward(size),
        }
    }

    /// How many samples a spectrogram is made of.
    pub fn samples(&self) -> usize {
        self.frame + (FRAMES - 1) * self.hop
    }

    /// Samples from one frame to the next.
    pub fn hop(&self) -> usize {
        self.hop
    }

    /// Writes the spectrogram `[FRAMES, BANDS]` of [`LogMel::samples`] samples; missing ones are silence.
    pub fn write(&self, sound: &[f32], out: &mut [f32]) {
        let mut time = self.fourier.make_input_vec();
        let mut spectrum = self.fourier.make_output_vec();
        for (at, row) in out.chunks_exact_mut(BANDS).enumerate() {
            time.fill(0.0);
            let heard = sound.get(at * self.hop..).unwrap_or_default();
            time.iter_mut().zip(heard.iter().zip(&self.window)).for_each(|(t, (&s, &w))| *t = s * w);
            // Fails for buffers of a wrong length only, and these are the plan's own.
            let _ = self.fourier.process(&mut time, &mut spectrum);
            self.powers(&spectrum, row);
        }
        let loudest = out.iter().copied().fold(SILENCE, f32::max);
        let floor = 10f32.powf(-DECIBELS / 10.0);
        for value in out {
            let share = (*value / loudest).max(floor);
            *value = if loudest > SILENCE { 1.0 + 20.0 / DECIBELS * share.log10() } else { -1.0 };
        }
    }

    fn powers(&self, spectrum: &[Complex<f32>], row: &mut [f32]) {
        for (power, (first, weights)) in row.iter_mut().zip(&self.bands) {
            let bins = spectrum[*first..].iter().zip(weights);
            *power = bins.map(|(bin, weight)| bin.norm_sqr() * weight).sum();
        }
    }
}

/// Triangles over the bins of a spectrum of `size` samples; each reaches from its lower to its upper neighbour's peak.
fn bands(rate: f64, size: usize) -> Vec<(usize, Vec<f32>)> {
    let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let (low, high) = (mel(LOWEST), mel(rate / 2.0));
    let peak = |index: usize| low + (high - low) * index as f64 / (BANDS + 1) as f64;
    let weight = |band: usize, bin: usize| {
        let at = mel(bin as f64 * rate / size as f64);
        let (rise, fall) = (at - peak(band), peak(band + 2) - at);
        (rise.min(fall) / (peak(1) - peak(0))).max(0.0) as f32
    };
    let row = |band: usize| {
        let bins = 0..size / 2 + 1;
        let first = bins.clone().find(|&bin| weight(band, bin) > 0.0).unwrap_or(0);
        (first, bins.skip(first).map(|bin| weight(band, bin)).take_while(|&w| w > 0.0).collect())
    };
    (0..BANDS).map(row).collect()
}
