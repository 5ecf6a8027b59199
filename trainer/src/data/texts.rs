//! Texts as numbers of words.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::vocabulary::{PADDING, UNKNOWN};

/// Texts of one length, padded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// Words in a text, padding included.
    pub length: usize,
    /// How many numbers of words there are.
    pub vocabulary: usize,
    /// The texts one after another.
    pub numbers: Vec<u32>,
}

/// How a text is changed each time it is trained on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextChange {
    /// Probability of each word to become unknown.
    pub drop: f32,
}

impl TextChange {
    /// Texts as they are.
    pub const NONE: Self = Self { drop: 0.0 };
}

impl Default for TextChange {
    fn default() -> Self {
        Self { drop: 0.5 }
    }
}

impl Texts {
    /// Writes the numbers of text `index`.
    pub(super) fn write(&self, index: usize, change: Option<(TextChange, &mut ChaCha8Rng)>, out: &mut [f32]) {
        let numbers = &self.numbers[index * self.length..][..self.length];
        // Numbers of words stay below 2^24, so that they are whole in f32.
        out.iter_mut().zip(numbers).for_each(|(value, &number)| *value = number as f32);
        if let Some((change, rng)) = change {
            for value in out.iter_mut().take_while(|value| **value != PADDING as f32) {
                if rng.random::<f32>() < change.drop {
                    *value = UNKNOWN as f32;
                }
            }
        }
    }
}
