//! Words and their numbers.
//!
//! A text is lower-cased and split at white space. With stems, a word of more than five letters is followed by its first five, so that words of
//! one root (`enjoy`, `enjoyed`, `enjoyable`) have something in common; with pairs, by the two words that begin with it (`not good`), where
//! the training data has those at least twice. Number 0 is the padding behind a short text, 1 any word that the training data does not have (often enough); the
//! others are the words of the training data, the most frequent first, equally frequent ones in alphabetic order.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, files};

/// Number of the padding.
pub const PADDING: u32 = 0;
/// Number of words that are not in the vocabulary.
pub const UNKNOWN: u32 = 1;

const RESERVED: [&str; 2] = ["<padding>", "<unknown>"];
/// Stands behind the reserved words in a vocabulary with stems.
const STEMS: &str = "<stems>";
/// Stands behind the reserved words, and the mark of stems, in a vocabulary with pairs.
const PAIRS: &str = "<pairs>";
/// Letters of a stem.
const STEM: usize = 5;
/// Between the words of a pair; no word has it.
const SPACE: char = ' ';
/// How often the training data must have a pair.
const LEAST_PAIRS: usize = 2;

/// What follows a word of a text besides the next word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// Its first five letters, where it is longer.
    pub stems: bool,
    /// The word together with the next one.
    pub pairs: bool,
}

/// Words in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    numbers: HashMap<String, u32>,
    extras: Extras,
}

/// The words of a text, each followed by its extras.
fn words(text: &str, extras: Extras) -> impl Iterator<Item = String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let nexts: Vec<Option<String>> = words.iter().skip(1).cloned().map(Some).chain([None]).collect();
    words.into_iter().zip(nexts).flat_map(move |(word, next)| {
        let stem = word.char_indices().nth(STEM).filter(|_| extras.stems).map(|(end, _)| format!("{}*", &word[..end]));
        let pair = next.filter(|_| extras.pairs).map(|next| format!("{word}{SPACE}{next}"));
        [Some(word), stem, pair].into_iter().flatten()
    })
}

fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word) || word == STEMS || word == PAIRS
}

impl Vocabulary {
    /// The words of `texts` and their extras; the `most` frequent ones.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>, extras: Extras, most: usize) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for word in texts.flat_map(|text| words(text, extras)) {
            *counts.entry(word).or_default() += 1;
        }
        counts.retain(|word, count| *count >= LEAST_PAIRS || !word.contains(SPACE));
        let mut counted: Vec<(String, usize)> = counts.into_iter().collect();
        counted.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
        let counted = counted.into_iter().map(|(word, _)| word).filter(|word| !is_reserved(word));
        let marks = extras.stems.then_some(STEMS).into_iter().chain(extras.pairs.then_some(PAIRS));
        let first = RESERVED.into_iter().chain(marks).map(String::from);
        Self::from_words(first.chain(counted.take(most)).collect())
    }

    fn from_words(words: Vec<String>) -> Self {
        let numbers = words.iter().enumerate().map(|(number, word)| (word.clone(), number as u32)).collect();
        let is_marked = |mark| words.iter().skip(RESERVED.len()).take(2).any(|word| word == mark);
        let extras = Extras { stems: is_marked(STEMS), pairs: is_marked(PAIRS) };
        Self { words, numbers, extras }
    }

    /// The numbers of a text: of its words and of those extras that the vocabulary has.
    pub fn numbers(&self, text: &str) -> impl Iterator<Item = u32> {
        words(text, self.extras).filter_map(|word| match self.numbers.get(&word) {
            Some(number) => Some(*number),
            None => (!word.contains(SPACE)).then_some(UNKNOWN),
        })
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
        numbers.iter_mut().zip(self.numbers(text)).for_each(|(number, word)| *number = word);
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
