//! Texts: `SPLIT.tsv` with one sample a line, the text, a tab, the class; UTF-8.

use std::path::Path;

use super::{ReadOptions, classes, no_split, numbers};
use crate::data::classes::Classes;
use crate::data::dataset::{Content, Dataset};
use crate::data::encoding::Encoding;
use crate::data::formats::file_names;
use crate::data::samples::Target;
use crate::data::texts::Texts;
use crate::data::vocabulary::Vocabulary;
use crate::{Error, ErrorKind, Result};

/// Most words that a vocabulary takes from the training data.
const MOST_WORDS: usize = 50_000;
/// Most words in a text.
const LONGEST: usize = 4096;

/// One line of a file.
struct Line {
    place: String,
    text: String,
    class: String,
}

pub fn read(folder: &Path, options: &ReadOptions) -> Result<Dataset> {
    let names = file_names(folder)?;
    let mut splits: Vec<String> = names.iter().filter_map(|name| name.strip_suffix(".tsv")).map(String::from).collect();
    if let Some(wanted) = &options.split {
        if !splits.contains(wanted) {
            return Err(no_split(folder, wanted, &splits));
        }
        splits.retain(|name| name == wanted);
    }
    let mut lines = Vec::new();
    for split in splits {
        lines.extend(read_split(&folder.join(format!("{split}.tsv")))?);
    }
    let classes = classes(folder, options, || Classes::of(lines.iter().map(|line| line.class.as_str())))?;
    let targets = numbers(&classes, lines.iter().map(|line| (&line.place, line.class.as_str())))?;
    let known =
        options.encoding.as_ref().and_then(|encoding| encoding.vocabulary.clone().map(|v| (v, encoding.length)));
    let (vocabulary, length) = known.unwrap_or_else(|| {
        let vocabulary = Vocabulary::of(lines.iter().map(|line| line.text.as_str()), options.extras, MOST_WORDS);
        let longest = lines.iter().map(|line| vocabulary.numbers(&line.text).count()).max().unwrap_or(1);
        (vocabulary, options.length.unwrap_or(longest).clamp(1, LONGEST))
    });
    let mut numbers = vec![0; lines.len() * length];
    numbers.chunks_exact_mut(length).zip(&lines).for_each(|(numbers, line)| vocabulary.encode(&line.text, numbers));
    Ok(Dataset {
        content: Content::Texts(Texts { length, vocabulary: vocabulary.len(), numbers }),
        target: Target::Class(classes.len()),
        targets,
        encoding: Encoding { classes, vocabulary: Some(vocabulary), length },
    })
}

fn read_split(path: &Path) -> Result<Vec<Line>> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Error::new(ErrorKind::BadRow, format!("{}:{line}", path.display()), "is not UTF-8 text; convert the file")
    })?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let lines = lines.map(|(number, line)| {
        let place = format!("{}:{}", path.display(), number + 1);
        let wrong = |message: &str| Error::new(ErrorKind::BadRow, &place, message);
        let (text, class) = line.rsplit_once('\t').ok_or_else(|| wrong("has no tab between text and class"))?;
        match (text.trim(), class.trim()) {
            ("", _) => Err(wrong("has no text before the tab")),
            (_, "") => Err(wrong("has no class behind the tab")),
            (text, class) => Ok(Line { text: text.into(), class: class.into(), place }),
        }
    });
    let lines: Vec<Line> = lines.collect::<Result<_>>()?;
    if lines.is_empty() { Err(Error::new(ErrorKind::BadFile, path.display(), "is empty")) } else { Ok(lines) }
}
