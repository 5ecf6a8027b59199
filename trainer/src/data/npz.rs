//! Several named arrays in one `.npz` file: NumPy's ZIP archive of `.npy` files.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::{Error, ErrorKind, Result};

/// Longest file of an archive, in bytes: an archive that holds more than its own size may be made to fill memory.
const MAX_BYTES: u64 = 1 << 30;

/// Names (without `.npy`) and files of the archive `path`, in its order; [`super::npy::decode`] reads the files.
///
/// # Errors
/// A file that cannot be read, is no ZIP archive, is damaged, or unpacks to more than 1 GiB.
pub fn read(path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    decode(&bytes).map_err(|error| Error { place: path.display().to_string(), ..error })
}

/// [`read`] of the bytes of an archive.
///
/// # Errors
/// As [`read`].
pub fn decode(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    unpack(bytes)
        .map_err(|error| Error::new(ErrorKind::BadFile, "", format!("is not a .npz archive of arrays: {error}")))
}

/// Writes `.npy` files under their names (without `.npy`), not compressed; the archive appears complete or not at all.
///
/// # Errors
/// What the file system says.
pub fn write(path: &Path, files: &[(String, Vec<u8>)]) -> Result<()> {
    let internal =
        |error: ZipError| Error::new(ErrorKind::Internal, path.display(), format!("cannot be encoded: {error}"));
    crate::files::write(path, &pack(files).map_err(internal)?)
}

fn pack(files: &[(String, Vec<u8>)]) -> std::result::Result<Vec<u8>, ZipError> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in files {
        archive.start_file(format!("{name}.npy"), plain)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

fn unpack(bytes: &[u8]) -> std::result::Result<Vec<(String, Vec<u8>)>, ZipError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut left = MAX_BYTES;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut content = Vec::new();
        let entry = archive.by_index(index)?;
        let name = entry.name()?.trim_end_matches(".npy").to_string();
        let read = entry.take(left + 1).read_to_end(&mut content)? as u64;
        left = left.checked_sub(read).ok_or(ZipError::InvalidArchive("it unpacks to more than 1 GiB".into()))?;
        files.push((name, content));
    }
    Ok(files)
}
