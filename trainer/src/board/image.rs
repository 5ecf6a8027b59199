//! Building firmware around a blob: cargo, for the board's target, with the model embedded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use ackermann_core::Model;
use ackermann_core::blob::{AlignedBytes, repack};
use serde_json::Value;

use super::elf::{self, Sizes};
use super::registry::Board;
use crate::{Error, ErrorKind, Result};

/// Firmware with a model, built.
#[derive(Debug, Clone)]
pub struct Image {
    /// The ELF file, a copy that later builds do not touch.
    pub elf: PathBuf,
    /// Its sizes; `flash` counts the model.
    pub sizes: Sizes,
    /// Bytes of the model in it.
    pub model_bytes: usize,
}

impl Image {
    /// Bytes of code and constants without the model.
    pub fn code_bytes(&self) -> usize {
        self.sizes.flash.saturating_sub(self.model_bytes)
    }
}

/// Builds `board`'s firmware around `blob`, in the weight order of its kernels and with no more of the core than it needs. An
/// empty blob gives firmware without a model, and with all of the core.
pub fn build_image(board: &Board, blob: &[u8]) -> Result<Image> {
    let blob = for_board(board, blob)?;
    if blob.len() > board.flash_bytes {
        let message = format!("the blob has {} bytes, the board's flash {}", blob.len(), board.flash_bytes);
        return Err(Error::new(ErrorKind::DoesNotFit, board.name, message));
    }
    build(board, board.name, &blob)
}

/// Bytes of code and constants that inference alone takes on `board`: an image that does nothing else, without its model. Only for the
/// Cortex-M, whose start-up a crate brings.
pub fn inference_bytes(board: &Board, blob: &[u8]) -> Result<Option<usize>> {
    if !board.target.starts_with("thumb") {
        return Ok(None);
    }
    Ok(Some(build(board, "ackermann-inference", &for_board(board, blob)?)?.code_bytes()))
}

/// Builds `package` for `board` around `blob`.
fn build(board: &Board, package: &str, blob: &[u8]) -> Result<Image> {
    let features = features(blob)?;
    let root = repository()?;
    require_target(&root, board)?;
    // One build at a time: the linked file is copied before the next build replaces it.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = target_folder(&root).join("ackermann");
    std::fs::create_dir_all(&folder).map_err(|error| Error::writing(&folder, &error))?;
    let digest = ackermann_core::blob::format::CRC.checksum(blob);
    let stem = format!("{}-{digest:08x}-{}", board.name, blob.len());
    let model = folder.join(format!("{stem}.ackm"));
    // An equal file stays as it is, so that cargo finds nothing to do.
    if std::fs::read(&model).ok().as_deref() != Some(blob) {
        std::fs::write(&model, blob).map_err(|error| Error::writing(&model, &error))?;
    }
    let linked = cargo_build(&root, board, package, &model, &features)?;
    let elf = folder.join(if package == board.name { format!("{stem}.elf") } else { format!("{stem}-{package}.elf") });
    std::fs::copy(&linked, &elf).map_err(|error| Error::writing(&elf, &error))?;
    Ok(Image { sizes: elf::sizes(&elf)?, elf, model_bytes: blob.len() })
}

/// The blob with its weights in the order of the board's kernels.
fn for_board(board: &Board, blob: &[u8]) -> Result<AlignedBytes> {
    if blob.is_empty() {
        return Ok(AlignedBytes::zeroed(0));
    }
    repack(blob, board.blob_target()).map_err(|error| Error::new(ErrorKind::BadBlob, "the blob", error))
}

/// The features of the core that `blob` needs.
fn features(blob: &[u8]) -> Result<BTreeSet<&'static str>> {
    if blob.is_empty() {
        return Ok(BTreeSet::from(["everything"]));
    }
    let model = Model::load(blob).map_err(|error| Error::new(ErrorKind::BadBlob, "the blob", error))?;
    Ok(model.features().collect())
}

/// The root of this repository: where it was when this program was compiled, or around the working folder.
pub fn repository() -> Result<PathBuf> {
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf);
    let here = std::env::current_dir().ok();
    let around = here.iter().flat_map(|folder| folder.ancestors()).map(Path::to_path_buf);
    compiled.into_iter().chain(around).find(|folder| folder.join("boards/mps2/Cargo.toml").is_file()).ok_or_else(|| {
        let message = "the firmware's sources are not here: run this inside of a checkout of the repository";
        Error::new(ErrorKind::Tool, "boards", message)
    })
}

/// Where cargo puts what it builds.
pub(super) fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// A cargo that is not led astray by the flags of the build that runs us.
pub(super) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(variable);
    }
    command
}

/// Runs a cargo build and returns the executable that it reports.
pub(super) fn executable(command: Command, what: &str) -> Result<PathBuf> {
    built(command, what, |message| message.get("executable")?.as_str().map(PathBuf::from))
}

/// Runs a cargo build and returns the shared library that it reports.
pub(super) fn library(command: Command, what: &str) -> Result<PathBuf> {
    let is_shared = |file: &PathBuf| matches!(file.extension()?.to_str()?, "so" | "dylib" | "dll").then_some(());
    built(command, what, |message| {
        let mut files =
            message.get("filenames")?.as_array()?.iter().filter_map(|file| file.as_str().map(PathBuf::from));
        files.find(|file| is_shared(file).is_some())
    })
}

/// Runs a cargo build and returns the last file that `pick` finds in its messages.
fn built(mut command: Command, what: &str, pick: impl Fn(&Value) -> Option<PathBuf>) -> Result<PathBuf> {
    command.args(["--message-format", "json-render-diagnostics"]).stdin(Stdio::null());
    let output = command.output().map_err(|error| {
        Error::new(ErrorKind::Tool, what, format!("cargo cannot be started: {error}; install Rust"))
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        if let Some(overflow) = text.lines().find(|line| line.contains("will not fit in region")) {
            return Err(Error::new(ErrorKind::DoesNotFit, what, overflow.trim()));
        }
        return Err(Error::new(ErrorKind::Tool, what, format!("the firmware does not build:\n{}", text.trim_end())));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut files = messages.filter_map(|message| pick(&message));
    files.next_back().ok_or_else(|| Error::new(ErrorKind::Tool, what, "cargo does not report what it built"))
}

fn cargo_build(root: &Path, board: &Board, package: &str, model: &Path, features: &BTreeSet<&str>) -> Result<PathBuf> {
    let flags = format!("target.'cfg(target_os = \"none\")'.rustflags = [\"-C\", \"target-cpu={}\"]", board.target_cpu);
    // Cargo keeps what it builds for each set of features apart, so images of several networks do not undo each other's work.
    let features: Vec<_> = features.iter().map(|name| format!("ackermann-core/{name}")).collect();
    let mut command = cargo(root);
    command
        .args(["build", "--quiet", "--package", package, "--profile", "firmware", "--target", board.target])
        .args(["--config", &flags, "--features", &features.join(",")])
        .env("ACKERMANN_MODEL", model);
    if std::env::var_os("DEFMT_LOG").is_none() {
        command.env("DEFMT_LOG", "info");
    }
    executable(command, board.name)
}

/// Whether the repository's toolchain can build for the board.
pub(super) fn require_target(root: &Path, board: &Board) -> Result<()> {
    let sysroot = Command::new("rustc").current_dir(root).args(["--print", "sysroot"]).output();
    let sysroot = sysroot.map_err(|error| {
        Error::new(ErrorKind::Tool, board.name, format!("rustc cannot be started: {error}; install Rust"))
    })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim()).join("lib/rustlib").join(board.target);
    if folder.is_dir() {
        return Ok(());
    }
    let message = format!("Rust has no {0} here: run `rustup target add {0}`", board.target);
    Err(Error::new(ErrorKind::Tool, board.name, message))
}
