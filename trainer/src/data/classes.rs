//! Names of classes: which number each has is fixed by the training data.

use std::path::Path;

use crate::{Error, ErrorKind, Result};

/// Names in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Classes(Vec<String>);

impl Classes {
    /// The different names among `names`: in numeric order if all are numbers, else in alphabetic order.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<String> = names.map(String::from).collect();
        names.sort();
        names.dedup();
        if names.iter().all(|name| name.parse::<i64>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
        }
        Self(names)
    }

    /// `count` classes that are called by their numbers.
    pub fn numbered(count: usize) -> Self {
        Self((0..count).map(|class| class.to_string()).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names in the order of their numbers.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The number of a class.
    ///
    /// # Errors
    /// A name that there is none of; `place` is where it stands.
    pub fn number(&self, name: &str, place: &dyn std::fmt::Display) -> Result<usize> {
        self.0.iter().position(|known| known == name).ok_or_else(|| {
            let shown: Vec<&str> = self.0.iter().map(String::as_str).take(12).collect();
            let more = if self.0.len() > shown.len() { ", ..." } else { "" };
            let message =
                format!("is of class `{}`, the training data has {}{more}", name.escape_debug(), shown.join(", "));
            Error::new(ErrorKind::BadRow, place, message)
        })
    }

    /// Refuses fewer than two classes: there is nothing to tell apart.
    pub(super) fn check(&self, folder: &Path) -> Result<()> {
        match self.0.as_slice() {
            [] => Err(Error::new(ErrorKind::BadFile, folder.display(), "holds no samples")),
            [only] => {
                let message = format!("holds one class only, `{}`; two are needed", only.escape_debug());
                Err(Error::new(ErrorKind::BadFile, folder.display(), message))
            }
            names => match names.iter().find(|name| name.is_empty() || name.contains(char::is_control)) {
                Some(name) => {
                    let message =
                        format!("has a class called `{}`; names need visible characters", name.escape_debug());
                    Err(Error::new(ErrorKind::BadFile, folder.display(), message))
                }
                None => Ok(()),
            },
        }
    }
}

impl From<Vec<String>> for Classes {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}
