//! Recordings, heard as spectrograms.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::mel::{BANDS, FRAMES, HOP_SECONDS, LogMel};

/// Recordings of one sample rate, one channel.
#[derive(Debug, Clone)]
pub struct Sounds {
    samples: Vec<i16>,
    clips: Vec<Range<usize>>,
    mel: LogMel,
}

/// How a recording is changed each time it is trained on. Every amount is a maximum; the draw is uniform; 0 is off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundChange {
    /// Shift to either side, seconds.
    pub shift: f32,
    /// Faster and higher or slower and deeper, as a fraction of the speed.
    pub speed: f32,
    /// White noise, as a fraction of the loudest sample.
    pub noise: f32,
    /// Probability of a few neighbouring frames and bands going silent (Park et al. 2019).
    pub mask: f32,
}

impl SoundChange {
    /// Recordings as they are.
    pub const NONE: Self = Self { shift: 0.0, speed: 0.0, noise: 0.0, mask: 0.0 };
}

impl Default for SoundChange {
    fn default() -> Self {
        Self { shift: 0.1, speed: 0.1, noise: 0.02, mask: 0.5 }
    }
}

/// Most frames, and bands, that a mask silences.
const MASKED: (usize, usize) = (6, 5);

impl Sounds {
    /// Recordings at `rate` samples per second: ranges of `samples`. Longer ones than a spectrogram are cut to their loudest part.
    pub fn new(rate: u32, samples: Vec<i16>, clips: Vec<Range<usize>>) -> Self {
        let mel = LogMel::new(rate);
        let clips = clips.into_iter().map(|clip| loudest_part(&samples, clip, &mel)).collect();
        Self { samples, clips, mel }
    }

    /// Shape of an input: frames, bands.
    pub fn shape(&self) -> [usize; 2] {
        [FRAMES, BANDS]
    }

    /// Writes the spectrogram of recording `index`.
    pub(super) fn write(&self, index: usize, change: Option<(SoundChange, &mut ChaCha8Rng)>, out: &mut [f32]) {
        let clip = &self.samples[self.clips[index].clone()];
        let mut sound = vec![0.0; self.mel.samples()];
        match change {
            None => {
                let begin = (sound.len() - clip.len().min(sound.len())) / 2;
                sound[begin..].iter_mut().zip(clip).for_each(|(s, &c)| *s = f32::from(c) / 32768.0);
                self.mel.write(&sound, out);
            }
            Some((change, rng)) => {
                self.changed(clip, change, rng, &mut sound);
                self.mel.write(&sound, out);
                mask(change, rng, out);
            }
        }
    }

    /// Every value is drawn whether it is used or not, so that switching one off does not change the others.
    fn changed(&self, clip: &[i16], change: SoundChange, rng: &mut ChaCha8Rng, sound: &mut [f32]) {
        let mut signed = |amount: f32| (2.0 * rng.random::<f32>() - 1.0) * amount;
        let speed = 1.0 + signed(change.speed);
        let rate = self.mel.hop() as f32 / HOP_SECONDS as f32;
        let shift = signed(change.shift) * rate;
        let noise = (signed(0.5) + 0.5) * change.noise;
        let middle = (sound.len() as f32 - clip.len() as f32 / speed) / 2.0;
        let at = |index: usize| clip.get(index).map_or(0.0, |&c| f32::from(c) / 32768.0);
        for (index, value) in sound.iter_mut().enumerate() {
            let from = (index as f32 - middle - shift) * speed;
            if from >= 0.0 {
                let whole = from as usize;
                let between = from - whole as f32;
                *value = at(whole) * (1.0 - between) + at(whole + 1) * between;
            }
        }
        let loudest = sound.iter().fold(0f32, |a, b| a.max(b.abs()));
        sound.iter_mut().for_each(|value| *value += (2.0 * rng.random::<f32>() - 1.0) * noise * loudest);
    }
}

/// Silences a band of time and a band of pitch.
fn mask(change: SoundChange, rng: &mut ChaCha8Rng, out: &mut [f32]) {
    let masked = rng.random::<f32>() < change.mask;
    let (frames, bands) = (rng.random_range(0..=MASKED.0), rng.random_range(0..=MASKED.1));
    let (frame, band) = (rng.random_range(0..=FRAMES - frames), rng.random_range(0..=BANDS - bands));
    if masked {
        out[frame * BANDS..(frame + frames) * BANDS].fill(-1.0);
        out.chunks_exact_mut(BANDS).for_each(|row| row[band..band + bands].fill(-1.0));
    }
}

/// The part of a recording, of the length of a spectrogram, with the most energy; all of a shorter recording.
fn loudest_part(samples: &[i16], clip: Range<usize>, mel: &LogMel) -> Range<usize> {
    let (hop, wanted) = (mel.hop(), mel.samples());
    if clip.len() <= wanted {
        return clip;
    }
    let energy = |part: &[i16]| part.iter().map(|&s| i64::from(s) * i64::from(s)).sum::<i64>();
    let begins = (clip.start..=clip.end - wanted).step_by(hop);
    let best = begins.max_by_key(|&begin| (energy(&samples[begin..begin + wanted]), std::cmp::Reverse(begin)));
    best.map_or(clip, |begin| begin..begin + wanted)
}
