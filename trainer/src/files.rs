//! Writing files so that a reader never sees half of one.

use std::fs;
use std::path::Path;

use crate::{Error, Result};

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
