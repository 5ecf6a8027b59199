//! What training fixes about data: numbers of classes and words, length of texts. Whatever is measured or quantized later reads its data
//! the same way, so it is kept in the run's folder.

use std::path::Path;

use super::classes::Classes;
use super::vocabulary::Vocabulary;
use crate::nn::{InputKind, Network};
use crate::{Error, ErrorKind, Result, files};

const CLASSES: &str = "classes.txt";
const VOCABULARY: &str = "vocabulary.txt";

/// Numbers of classes and words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoding {
    /// The classes; none where targets are numbers.
    pub classes: Classes,
    /// The words, for texts.
    pub vocabulary: Option<Vocabulary>,
    /// Words in a text, padding included, for texts.
    pub length: usize,
}

impl Encoding {
    /// Writes `classes.txt` and `vocabulary.txt` into a run's folder, each where there is such a thing; else one of an earlier run goes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, run: &Path) -> Result<()> {
        let (classes, vocabulary) = (run.join(CLASSES), run.join(VOCABULARY));
        match self.classes.names() {
            [] => files::remove(&classes)?,
            names => files::write(&classes, (names.join("\n") + "\n").as_bytes())?,
        }
        self.vocabulary.as_ref().map_or_else(|| files::remove(&vocabulary), |words| words.save(&vocabulary))
    }

    /// What [`Encoding::save`] wrote; `length` is the number of words that the run's network takes.
    ///
    /// # Errors
    /// Files that are there but cannot be used.
    pub fn of_run(run: &Path, length: usize) -> Result<Self> {
        let path = run.join(CLASSES);
        let classes = match std::fs::read_to_string(&path) {
            Ok(text) => text.lines().map(String::from).collect::<Vec<_>>().into(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Classes::default(),
            Err(error) => return Err(Error::reading(&path, &error)),
        };
        let path = run.join(VOCABULARY);
        let vocabulary = if path.is_file() { Some(Vocabulary::load(&path)?) } else { None };
        Ok(Self { classes, vocabulary, length })
    }

    /// As [`Encoding::of_run`], for the run's network.
    ///
    /// # Errors
    /// Files that are there but cannot be used, a vocabulary of another size than the network's.
    pub fn of_network(run: &Path, network: &Network) -> Result<Self> {
        let encoding = Self::of_run(run, network.input.first().copied().unwrap_or(0))?;
        match (&encoding.vocabulary, network.kind) {
            (Some(words), InputKind::Tokens { vocabulary }) if words.len() != vocabulary => {
                let message = format!(
                    "has {} words, the network was trained on {vocabulary}; bring back the file that training wrote",
                    words.len()
                );
                Err(Error::new(ErrorKind::BadFile, run.join(VOCABULARY).display(), message))
            }
            _ => Ok(encoding),
        }
    }
}
