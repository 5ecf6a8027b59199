//! Writing files so that a reader never sees half of one.

use std::fs;
use std::path::Path;

use crate::{Error, ErrorKind, Result};

/// Whether `path` is a folder or could become one: asked before long work whose result goes there. Nothing is made.
///
/// # Errors
/// Something on the way that is no folder, or that nothing may be written to.
pub fn check_folder(path: &Path) -> Result<()> {
    let mut ancestors =
        path.ancestors().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let Some((folder, found)) = ancestors.find_map(|folder| Some((folder, fs::metadata(folder).ok()?))) else {
        return Ok(());
    };
    let wrong = |message| Err(Error::new(ErrorKind::Write, path.display(), message));
    match (found.is_dir(), found.permissions().readonly()) {
        (true, false) => Ok(()),
        (true, true) => wrong(format!("cannot be written: {} is read-only", folder.display())),
        (false, _) if folder == path => wrong("is a file where a folder is needed".to_string()),
        (false, _) => wrong(format!("cannot be written: {} is a file, not a folder", folder.display())),
    }
}

/// Files that make a folder with a `config.json` the folder of a run.
const RUN: [&str; 5] = ["best.safetensors", "last.safetensors", "config.json", "data.json", "history.csv"];

/// Whether a file could be written at `path`; see [`check_folder`].
///
/// # Errors
/// As [`check_folder`], or a folder in the file's place, or a file that a run lives by.
pub fn check_file(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(Error::new(ErrorKind::Write, path.display(), "is a folder; name the file to write"));
    }
    let of_run = path.file_name().is_some_and(|name| RUN.iter().any(|file| name == *file));
    if of_run && path.with_file_name("config.json").exists() {
        return Err(Error::usage(path.display(), "belongs to a run, which would be lost; choose another name"));
    }
    path.parent().map_or(Ok(()), check_folder)
}

/// Writes `bytes` beside `path` under a temporary name and renames it into place; makes the folder if need be.
///
/// # Errors
/// What the file system says; `path` is untouched then.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| Error::writing(folder, &error))?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path)).map_err(|error| {
        let _ = fs::remove_file(&partial);
        Error::writing(path, &error)
    })
}

/// Removes the file `path`, which need not be there.
///
/// # Errors
/// What the file system says.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::writing(path, &error)),
        _ => Ok(()),
    }
}

/// Removes what a process that was killed while it wrote into `folder` left of `write`.
pub fn remove_partial(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "partial")) {
        // What cannot be removed does no harm.
        let _ = fs::remove_file(path);
    }
}
