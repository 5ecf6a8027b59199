//! Words and their numbers.
//!
//! A text is lower-cased and split at white space. Number 0 is the padding behind a short text, 1 any word that the training data does not
//! have (often enough); the others are the words of the training data, the most frequent first, equally frequent ones in alphabetic order.

use std::collections::HashMap;
use std::path::Path;

use crate::{Error, ErrorKind, Result, files};

/// Number of the padding.
pub const PADDING: u32 = 0;
/// Number of words that are not in the vocabulary.
pub const UNKNOWN: u32 = 1;

const RESERVED: [&str; 2] = ["<padding>", "<unknown>"];

/// Words in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// The words of a text.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_lowercase)
}

impl Vocabulary {
    /// The words that occur at least `least` times in `texts`, at most `most` of them.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>, least: usize, most: usize) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for word in texts.flat_map(words) {
            *counts.entry(word).or_default() += 1;
        }
        let mut counted: Vec<(String, usize)> = counts.into_iter().filter(|(_, count)| *count >= least).collect();
        counted.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let counted = counted.into_iter().map(|(word, _)| word).filter(|word| !RESERVED.contains(&word.as_str()));
        Self::from_words(RESERVED.iter().map(ToString::to_string).chain(counted.take(most)).collect())
    }

    fn from_words(words: Vec<String>) -> Self {
        let numbers = words.iter().enumerate().map(|(number, word)| (word.clone(), number as u32)).collect();
        Self { words, numbers }
    }

    /// How many numbers there are, padding and unknown words included.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Never: two numbers are always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Writes the numbers of the first `numbers.len()` words of `text`, then padding.
    pub fn encode(&self, text: &str, numbers: &mut [u32]) {
        numbers.fill(PADDING);
        for (number, word) in numbers.iter_mut().zip(words(text)) {
            *number = self.numbers.get(&word).copied().unwrap_or(UNKNOWN);
        }
    }

    /// Writes the words to `path`, one a line: the line is the number, from 0.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, path: &Path) -> Result<()> {
        files::write(path, (self.words.join("\n") + "\n").as_bytes())
    }

    /// Reads what [`Vocabulary::save`] wrote.
    ///
    /// # Errors
    /// A file that cannot be read or is no vocabulary: it begins otherwise, or a word occurs twice.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::reading(path, &error))?;
        let words: Vec<String> = text.lines().map(String::from).collect();
        let wrong = |message: String| Err(Error::new(ErrorKind::BadFile, path.display(), message));
        if !words.iter().take(2).eq(RESERVED.iter()) {
            return wrong(format!(
                "is no vocabulary: it must begin with the lines {} and {}",
                RESERVED[0], RESERVED[1]
            ));
        }
        let vocabulary = Self::from_words(words);
        if vocabulary.numbers.len() != vocabulary.words.len() {
            return wrong("is no vocabulary: a word occurs twice".into());
        }
        Ok(vocabulary)
    }
}
