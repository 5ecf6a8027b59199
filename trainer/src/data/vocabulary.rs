//! Words and their numbers.
//!
//! A text is lower-cased and split at white space. With stems, a word of more than five letters is followed by its first five, so that words of
//! one root (`enjoy`, `enjoyed`, `enjoyable`) have something in common. Number 0 is the padding behind a short text, 1 any word that the training data does not
//! have (often enough); the others are the words of the training data, the most frequent first, equally frequent ones in alphabetic order.

use std::collections::HashMap;
use std::path::Path;

use crate::{Error, ErrorKind, Result, files};

/// Number of the padding.
pub const PADDING: u32 = 0;
/// Number of words that are not in the vocabulary.
pub const UNKNOWN: u32 = 1;

const RESERVED: [&str; 2] = ["<padding>", "<unknown>"];
/// Third in a vocabulary with stems.
const STEMS: &str = "<stems>";
/// Letters of a stem.
const STEM: usize = 5;

/// Words in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, u32>,
    stems: bool,
}

/// The words of a text, each followed by its stem where `stems` are asked for and it is longer.
pub fn words(text: &str, stems: bool) -> impl Iterator<Item = String> {
    text.split_whitespace().map(str::to_lowercase).flat_map(move |word| {
        let stem = word.char_indices().nth(STEM).filter(|_| stems).map(|(end, _)| format!("{}*", &word[..end]));
        std::iter::once(word).chain(stem)
    })
}

fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word) || word == STEMS
}

impl Vocabulary {
    /// The words of `texts`, with or without stems; the `most` frequent ones.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>, stems: bool, most: usize) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for word in texts.flat_map(|text| words(text, stems)) {
            *counts.entry(word).or_default() += 1;
        }
        let mut counted: Vec<(String, usize)> = counts.into_iter().collect();
        counted.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let counted = counted.into_iter().map(|(word, _)| word).filter(|word| !is_reserved(word));
        let first = RESERVED.into_iter().chain(stems.then_some(STEMS)).map(String::from);
        Self::from_words(first.chain(counted.take(most)).collect())
    }

    fn from_words(words: Vec<String>) -> Self {
        let numbers = words.iter().enumerate().map(|(number, word)| (word.clone(), number as u32)).collect();
        let stems = words.get(2).is_some_and(|word| word == STEMS);
        Self { words, numbers, stems }
    }

    /// Whether words are followed by their stems.
    pub fn has_stems(&self) -> bool {
        self.stems
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
        for (number, word) in numbers.iter_mut().zip(words(text, self.stems)) {
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
