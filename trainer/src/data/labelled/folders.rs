//! Files sorted into a folder for each class: `CLASS/FILE`, or `SPLIT/CLASS/FILE` where the data has splits of its own.

use std::path::{Path, PathBuf};

use super::{ReadOptions, no_split};
use crate::data::formats::file_names;
use crate::data::split;
use crate::{Error, ErrorKind, Result};

/// Which files count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// What they are called.
    pub noun: &'static str,
    /// How their names end, in lower case.
    pub extensions: &'static [&'static str],
}

impl Kind {
    /// JPEG and PNG files.
    pub const PICTURES: Self = Self { noun: "pictures", extensions: &["jpg", "jpeg", "png"] };
    /// WAV files.
    pub const SOUNDS: Self = Self { noun: "recordings", extensions: &["wav"] };

    /// Whether a file of this name counts.
    pub fn fits(self, name: &str) -> bool {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        !name.starts_with('.') && self.extensions.contains(&extension.to_ascii_lowercase().as_str())
    }
}

/// A file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The file.
    pub path: PathBuf,
    /// Name of its class.
    pub class: String,
}

/// Whether `folder` has such files one or two folders down.
pub fn holds(folder: &Path, kind: Kind) -> bool {
    let classes = |folder: &Path| subfolders(folder).unwrap_or_default();
    let deep = |folder: &Path| classes(folder).iter().any(|name| !files(&folder.join(name), kind).is_empty());
    deep(folder) || classes(folder).iter().any(|name| deep(&folder.join(name)))
}

/// The files of a split with their classes, in alphabetic order of class and name.
///
/// # Errors
/// No such split, a class without files, no files.
pub fn list(folder: &Path, kind: Kind, options: &ReadOptions) -> Result<Vec<Labelled>> {
    let names = subfolders(folder)?;
    let is_split = |name: &String| {
        let inside = folder.join(name);
        files(&inside, kind).is_empty() && subfolders(&inside).is_ok_and(|classes| !classes.is_empty())
    };
    let splits: Vec<String> = names.iter().filter(|name| is_split(name)).cloned().collect();
    match (&options.split, splits.is_empty()) {
        (Some(split), false) if splits.contains(split) => {
            classes(&folder.join(split), kind, &subfolders(&folder.join(split))?)
        }
        (Some(split), false) => Err(no_split(folder, split, &splits)),
        (None, false) => {
            let parts =
                splits.iter().map(|split| classes(&folder.join(split), kind, &subfolders(&folder.join(split))?));
            Ok(parts.collect::<Result<Vec<_>>>()?.concat())
        }
        (split, true) => {
            let all = classes(folder, kind, &names)?;
            let chosen = split::deal(folder, all.len(), split.as_deref())?;
            Ok(chosen.into_iter().map(|index| all[index].clone()).collect())
        }
    }
}

fn classes(folder: &Path, kind: Kind, names: &[String]) -> Result<Vec<Labelled>> {
    let mut all = Vec::new();
    for class in names {
        let inside = folder.join(class);
        let found = files(&inside, kind);
        if found.is_empty() {
            let message =
                format!("holds no {} ({}); remove the class or fill it", kind.noun, kind.extensions.join(", "));
            return Err(Error::new(ErrorKind::BadFile, inside.display(), message));
        }
        all.extend(found.into_iter().map(|name| Labelled { path: inside.join(name), class: class.clone() }));
    }
    Ok(all)
}

fn files(folder: &Path, kind: Kind) -> Vec<String> {
    let names = file_names(folder).unwrap_or_default().into_iter();
    names.filter(|name| kind.fits(name) && folder.join(name).is_file()).collect()
}

/// Names of the folders in `folder`, hidden ones left out.
fn subfolders(folder: &Path) -> Result<Vec<String>> {
    let names = file_names(folder)?.into_iter();
    Ok(names.filter(|name| !name.starts_with('.') && folder.join(name).is_dir()).collect())
}
