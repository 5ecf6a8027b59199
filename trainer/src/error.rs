//! One error type for the whole host side, so that every command fails the same way:
//! what was wrong, where, and what to do.

use std::fmt;
use std::path::Path;

/// Result of every fallible host function.
pub type Result<T> = std::result::Result<T, Error>;

/// What class of thing went wrong; the `kind` of `--json` errors and the choice of exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line itself is wrong (unknown name, impossible combination).
    Usage,
    /// A file or folder that is not there or cannot be opened.
    MissingFile,
    /// A file whose content is not what its name or role promises.
    BadFile,
    /// A row of a table (CSV, JSON lines) that cannot be used; `place` says which.
    BadRow,
    /// An image that does not decode or has an unexpected size.
    BadImage,
    /// Tensor shapes that do not fit together.
    Shape,
    /// A name that no board answers to.
    UnknownBoard,
    /// A network that does not fit the board (flash, RAM) or uses what the board was built without.
    DoesNotFit,
    /// A blob that the loader refused.
    BadBlob,
    /// A tool outside of this program that is missing or failed (QEMU, cargo, probe-rs).
    Tool,
    /// A board or link that did not answer as documented.
    Link,
    /// Training went out of range: a NaN or infinity in data, loss or weights.
    NotFinite,
    /// The user asked to stop; what was done so far is saved.
    Interrupted,
    /// Writing failed (disk full, permissions).
    Write,
    /// A fault of this program.
    Internal,
}

impl ErrorKind {
    /// The stable name used in `--json` output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::MissingFile => "missing_file",
            Self::BadFile => "bad_file",
            Self::BadRow => "bad_row",
            Self::BadImage => "bad_image",
            Self::Shape => "shape",
            Self::UnknownBoard => "unknown_board",
            Self::DoesNotFit => "does_not_fit",
            Self::BadBlob => "bad_blob",
            Self::Tool => "tool",
            Self::Link => "link",
            Self::NotFinite => "not_finite",
            Self::Interrupted => "interrupted",
            Self::Write => "write",
            Self::Internal => "internal",
        }
    }

    /// Process exit code: 2 for a wrong use or input, 1 for a failure of ours or of the machine.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Tool | Self::Link | Self::Interrupted | Self::Write | Self::Internal => 1,
            _ => 2,
        }
    }
}

/// What was wrong and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Class of the fault.
    pub kind: ErrorKind,
    /// One sentence: what was wrong and what to do about it.
    pub message: String,
    /// File, file:row, layer, option: where it was found. Empty when the message says it all.
    pub place: String,
}

impl Error {
    /// An error with its place (a file, `file:row`, a layer, an option).
    pub fn new(kind: ErrorKind, place: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string(), place: place.to_string() }
    }

    /// A wrong command line.
    pub fn usage(place: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Usage, place, message)
    }

    /// The error of opening or reading `path`.
    pub fn reading(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let (kind, message) = match error.kind() {
            Io::NotFound | Io::NotADirectory => (ErrorKind::MissingFile, "does not exist".to_string()),
            Io::IsADirectory => (ErrorKind::BadFile, "is a folder where a file is needed".to_string()),
            _ => (ErrorKind::BadFile, format!("cannot be read: {error}")),
        };
        Self::new(kind, path.display(), message)
    }

    /// The error of writing `path`.
    pub fn writing(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let advice = match error.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => "; make room there and try again",
            Io::PermissionDenied | Io::ReadOnlyFilesystem => "; choose another place or change its permissions",
            _ => "",
        };
        Self::new(ErrorKind::Write, path.display(), format!("cannot be written: {error}{advice}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.place, self.message)
        }
    }
}

impl std::error::Error for Error {}
